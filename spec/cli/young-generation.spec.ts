import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
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

describe('memory for what is young', () => {
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
});
