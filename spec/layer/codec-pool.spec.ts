import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';
import { NOT_THIS } from '../../src/layer/codec.ts';
import { CodecPool } from '../../src/layer/codec-pool.ts';
import { UP } from '../../src/layer/codec-thread.ts';

const alone = availableParallelism() < 2 && 'one processor: there are no threads';

function shared(bytes: Uint8Array | number): Uint8Array {
  const memory = new Uint8Array(new SharedArrayBuffer(typeof bytes === 'number' ? bytes : bytes.length));
  if (typeof bytes !== 'number') memory.set(bytes);
  return memory;
}

async function withPool<T>(name: 'zlib' | 'gunzip', use: (pool: CodecPool) => Promise<T>): Promise<T> {
  const pool = await CodecPool.of(name, 'fast');
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}

const TEXT = Buffer.from('what is to be encoded, whoever does it\n'.repeat(2000));

/** Gives work until a thread has taken some. */
async function untilElsewhere(pool: CodecPool): Promise<Promise<number>> {
  for (let turn = 0; turn < 1000; turn++) {
    const length = pool.run(shared(TEXT), shared(TEXT.length));
    if (typeof length !== 'number') return length;
    await setTimeout(5);
  }
  return assert.fail('no thread ever took anything');
}

describe('a pool of threads for a codec', () => {
  it('does the work itself until a thread is there, and the bytes are the same', { skip: alone }, async () => {
    await withPool('zlib', async (pool) => {
      const outputs: Uint8Array[] = [];
      let elsewhere = 0;
      for (let turn = 0; turn < 200; turn++) {
        const output = shared(TEXT.length);
        const length = pool.run(shared(TEXT), output);
        if (turn === 0) assert.equal(typeof length, 'number', 'nobody is there at first');
        if (typeof length !== 'number') elsewhere += 1;
        outputs.push(output.subarray(0, await length));
        if (turn < 100) await setTimeout(2);
      }
      assert.ok(elsewhere > 0, 'a thread came');
      assert.equal(new Set(outputs.map((output) => Buffer.from(output).toString('hex'))).size, 1);
      assert.deepEqual(gunzipSync(Uint8Array.from(outputs[0] ?? [])), TEXT);
    });
  });

  it('does more itself, once each thread has enough to do', { skip: alone }, async () => {
    await withPool('zlib', async (pool) => {
      await untilElsewhere(pool);
      const given = Array.from({ length: 100 }, () => pool.run(shared(TEXT), shared(TEXT.length)));
      assert.ok(given.some((length) => typeof length === 'number'));
      assert.equal(new Set(await Promise.all(given.map((length) => Promise.resolve(length)))).size, 1);
    });
  });

  it('says what is no input of its codec, wherever that was looked at', { skip: alone }, async () => {
    await withPool('gunzip', async (pool) => {
      assert.equal(pool.runHere(shared(TEXT), shared(100)), NOT_THIS);
      await untilElsewhere(pool);
      const whole = gzipSync(TEXT);
      const members = [whole, whole.subarray(0, -1), Buffer.concat([whole, Buffer.of(1)]), TEXT].map(shared);
      const lengths = await Promise.all(members.map(async (member) => pool.run(member, shared(TEXT.length))));
      assert.deepEqual(lengths, [TEXT.length, NOT_THIS, NOT_THIS, NOT_THIS]);
      assert.equal(await pool.run(shared(whole), shared(TEXT.length - 1)), NOT_THIS, 'more than there is room for');
    });
  });

  it('fails where its codec does, and goes on', { skip: alone }, async () => {
    await withPool('zlib', async (pool) => {
      assert.throws(() => pool.runHere(shared(TEXT), shared(1)), RangeError);
      await untilElsewhere(pool);
      await assert.rejects(async () => pool.run(shared(TEXT), shared(1)), RangeError);
      assert.ok((await pool.run(shared(TEXT), shared(TEXT.length))) > 0);
    });
  });

  it('ends with its work undone, where it is closed', { skip: alone }, async () => {
    const pool = await CodecPool.of('zlib', 'fast');
    await untilElsewhere(pool);
    const undone = Promise.all(Array.from({ length: 4 }, async () => pool.run(shared(TEXT), shared(TEXT.length))));
    undone.catch(() => undefined);
    await pool.close();
    await undone.catch((error: unknown) => assert.match(String(error), /a thread of a codec ended/));
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((name) => name === 'MessagePort'),
      [],
    );
  });

  it('lets a thread load before it ends it, since Node 20 may crash there', { skip: alone }, async () => {
    const messages: unknown[] = [];
    const listen = (worker: Worker): void => void worker.on('message', (message) => messages.push(message));
    process.on('worker', listen);
    const pool = await CodecPool.of('zlib', 'fast');
    pool.start();
    await pool.close();
    process.off('worker', listen);
    assert.ok(messages.length > 0);
    assert.deepEqual([...new Set(messages)], [UP]);
  });

  it('takes back what no thread has begun, and each block is encoded once', { skip: alone }, async () => {
    await withPool('zlib', async (pool) => {
      await untilElsewhere(pool);
      const long = Buffer.from('a long text that takes its time\n'.repeat(100_000));
      const outputs = Array.from({ length: pool.tasks / 2 }, () => shared(long.length));
      const lengths = outputs.map((output) => pool.run(shared(long), output));
      let taken = 0;
      while (pool.takeBack()) taken += 1;
      // With more than one thread, each may have begun all it has.
      if (availableParallelism() === 2) assert.ok(taken > 0);
      assert.equal(pool.takeBack(), false);
      for (const [index, output] of outputs.entries())
        assert.ok(gunzipSync(output.subarray(0, await lengths[index])).equals(long));
      const after = shared(TEXT.length);
      assert.ok(gunzipSync(after.subarray(0, await pool.run(shared(TEXT), after))).equals(TEXT));
    });
  });
});
