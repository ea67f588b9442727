import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { forEachParallel } from '../../src/registry/parallel.ts';
import { isError } from './expect.ts';

describe('forEachParallel', () => {
  it('does every item once, and no more than a few at a time', async () => {
    const items = Array.from({ length: 20 }, (_, number) => number);
    const done: number[] = [];
    let [running, most] = [0, 0];
    await forEachParallel(items, 3, undefined, async (item) => {
      most = Math.max(most, (running += 1));
      await turn();
      running -= 1;
      done.push(item);
    });
    assert.deepEqual(
      done.sort((one, other) => one - other),
      items,
    );
    assert.equal(most, 3);
    await forEachParallel([], 3, undefined, () => Promise.reject(new Error('never called')));
  });

  it('throws the first failure after all have ended, and stops them by their signal', async () => {
    const events: string[] = [];
    const work = async (item: string, signal: AbortSignal): Promise<void> => {
      events.push(item);
      if (item === 'fails') throw new Error('the first');
      while (!signal.aborted) await turn();
      await turn();
      events.push(`${item} ended`);
      throw new Error('a consequence');
    };
    await assert.rejects(forEachParallel(['waits', 'fails', 'never'], 2, undefined, work), /the first/);
    assert.deepEqual(events, ['waits', 'fails', 'waits ended']);
  });

  it('says ABORTED where the caller’s signal stopped it', async () => {
    const stop = new AbortController();
    let count = 0;
    const work = async (): Promise<void> => {
      count += 1;
      stop.abort();
    };
    await assert.rejects(forEachParallel([1, 2, 3], 1, stop.signal, work), isError('ABORTED'));
    assert.equal(count, 1);
  });
});
