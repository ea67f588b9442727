import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { collectingGarbage } from '../../src/cli/collect-garbage.ts';

const MEBIBYTE = 1024 * 1024;

const buffers = (): number => process.memoryUsage().arrayBuffers;

/** The memory of what is dead is given back by another thread. */
async function freedBelow(bytes: number): Promise<boolean> {
  for (let turn = 0; turn < 100 && buffers() >= bytes; turn += 1) await setTimeout(5);
  return buffers() < bytes;
}

describe('memory while work goes on', () => {
  beforeEach(async () => assert.ok(await freedBelow(4 * MEBIBYTE), 'what the test before left'));

  it('is freed after every 16 MiB that were read or packed, of what died young', async () => {
    const seen: string[] = [];
    const onProgress = collectingGarbage(({ kind }) => seen.push(kind), 0);
    for (const kind of ['read', 'pack'] as const) {
      const before = buffers();
      for (let count = 0; count < 12; count += 1) Buffer.alloc(MEBIBYTE);
      const soFar = (bytes: number): void =>
        onProgress(
          kind === 'read'
            ? { kind, bytes: bytes / 1000, uncompressed: bytes, total: MEBIBYTE }
            : { kind, bytes, total: 17 * MEBIBYTE },
        );
      soFar(15 * MEBIBYTE);
      assert.ok(buffers() >= before + 12 * MEBIBYTE, 'not yet');
      soFar(17 * MEBIBYTE);
      assert.ok(await freedBelow(before + MEBIBYTE), kind);
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
    assert.ok(garbage.deref() === undefined);
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
    assert.ok(garbage.deref() === undefined);
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
