import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { collectingGarbage } from '../../src/cli/collect-garbage.ts';
import { keepYoungGenerationSmall } from '../../src/cli/young-generation.ts';

const MEBIBYTE = 1024 * 1024;
const ROUNDS = 200;

/** Bytes that V8 keeps for what is young. */
function youngGeneration(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}

/** Garbage by the gigabyte, some of which lives long enough to make V8 enlarge the young generation. */
function makeGarbage(between: (round: number) => void): void {
  const kept: unknown[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let index = 0; index < 50_000; index += 1) kept[index % 5_000] = { round, index, list: [index] };
    between(round);
  }
}

describe('memory while work goes on', () => {
  it('does not grow by the young generation, though threads were started', async () => {
    keepYoungGenerationSmall();
    await once(new Worker('', { eval: true }), 'exit');
    const onProgress = collectingGarbage(() => undefined);
    makeGarbage((round) => onProgress({ kind: 'pack', bytes: 16 * round * MEBIBYTE, total: 16 * ROUNDS * MEBIBYTE }));
    assert.ok(youngGeneration() < 10 * MEBIBYTE, `${youngGeneration()} bytes`);

    setFlagsFromString('--semi-space-growth-factor=2');
    makeGarbage(() => undefined);
    assert.ok(youngGeneration() > 15 * MEBIBYTE, `without it: ${youngGeneration()} bytes`);
  });

  it('is freed after every 16 MiB that were read or packed, of what died young', async () => {
    const seen: string[] = [];
    const onProgress = collectingGarbage(({ kind }) => seen.push(kind), 0);
    const buffers = (): number => process.memoryUsage().arrayBuffers;
    for (const kind of ['read', 'pack'] as const) {
      const before = buffers();
      for (let count = 0; count < 20; count += 1) Buffer.alloc(MEBIBYTE);
      const soFar = (bytes: number): void =>
        onProgress(
          kind === 'read'
            ? { kind, bytes: bytes / 1000, uncompressed: bytes, total: MEBIBYTE }
            : { kind, bytes, total: 20 * MEBIBYTE },
        );
      soFar(15 * MEBIBYTE);
      assert.ok(buffers() >= before + 20 * MEBIBYTE, 'not yet');
      soFar(17 * MEBIBYTE);
      // Their memory is given back by another thread.
      for (let turn = 0; turn < 100 && buffers() >= before + MEBIBYTE; turn += 1) await setTimeout(5);
      assert.ok(buffers() < before + MEBIBYTE, kind);
    }
    assert.deepEqual(seen, ['read', 'read', 'pack', 'pack']);
  });

  it('is freed where it died old, too, once there is much of it', async () => {
    const onProgress = collectingGarbage(() => undefined, 0);
    const garbage = new WeakRef(Buffer.alloc(40 * MEBIBYTE));
    // What was looked at in a turn of the event loop lives until its end.
    await setImmediate();
    onProgress({ kind: 'pack', bytes: 17 * MEBIBYTE, total: null });
    await setImmediate();
    assert.equal(garbage.deref(), undefined);
  });

  it('is looked for anew where an archive is read again', async () => {
    const onProgress = collectingGarbage(() => undefined, 0);
    const read = (mebibytes: number): void =>
      onProgress({ kind: 'read', bytes: mebibytes, uncompressed: mebibytes * MEBIBYTE, total: null });
    read(100);
    const garbage = new WeakRef(Buffer.alloc(40 * MEBIBYTE));
    await setImmediate();
    read(1);
    read(17);
    await setImmediate();
    assert.equal(garbage.deref(), undefined);
  });

  it('is not looked for again where nothing has gathered since', async () => {
    const onProgress = collectingGarbage(() => undefined, 0);
    Buffer.alloc(40 * MEBIBYTE);
    onProgress({ kind: 'pack', bytes: 17 * MEBIBYTE, total: null });
    const garbage = new WeakRef({ kind: 'garbage' });
    await setImmediate();
    onProgress({ kind: 'pack', bytes: 40 * MEBIBYTE, total: null });
    await setImmediate();
    assert.ok(garbage.deref() !== undefined);
  });

  it('is left to V8 while little is in use', async () => {
    const onProgress = collectingGarbage(() => undefined, 2 ** 40);
    const garbage = new WeakRef({ kind: 'garbage' });
    await setImmediate();
    onProgress({ kind: 'pack', bytes: 100 * MEBIBYTE, total: null });
    await setImmediate();
    assert.ok(garbage.deref() !== undefined);
  });
});
