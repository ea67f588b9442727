import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { digestOf } from '../../src/oci/document-digest.ts';
import { type Blob, verified } from '../../src/registry/verified.ts';
import { isError } from './expect.ts';

/** A blob that says it is one thing and is another. */
function blob(said: Uint8Array, pieces: Iterable<Uint8Array>): Blob {
  return {
    descriptor: { mediaType: 'application/octet-stream', digest: digestOf(said), size: said.length },
    open: async function* () {
      yield* pieces;
    },
  };
}

/** What came out before the end, or before the error, and the error. */
async function drain(source: Blob): Promise<{ bytes: Buffer; error: unknown }> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of verified(source)) pieces.push(piece);
    return { bytes: Buffer.concat(pieces), error: null };
  } catch (error) {
    return { bytes: Buffer.concat(pieces), error };
  }
}

function* endless(): Generator<Uint8Array> {
  for (;;) yield Buffer.from('abc');
}

function* broken(): Generator<Uint8Array> {
  yield Buffer.from('abc');
  throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
}

describe('verified', () => {
  it('passes on the bytes that the descriptor names, in whatever pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), async (pieces) => {
        const whole = Buffer.concat(pieces);
        const { bytes, error } = await drain(blob(whole, pieces));
        assert.equal(error, null);
        assert.deepEqual(bytes, whole);
      }),
    );
  });

  it('never gives all bytes of something else', async () => {
    const said = Buffer.from('abcdef');
    for (const pieces of [
      ['abcdeX'],
      ['abc', 'deX'],
      ['Xbc', 'def'],
      ['abc', 'de'],
      [''],
      [],
      ['abc', 'def', 'g'],
      ['abcdefg'],
    ]) {
      const { bytes, error } = await drain(
        blob(
          said,
          pieces.map((text) => Buffer.from(text)),
        ),
      );
      assert.ok(isError('DIGEST_MISMATCH')(error));
      assert.ok(bytes.length < said.length, bytes.toString());
    }
  });

  it('stops reading where there is more than there should be', async () => {
    const { bytes, error } = await drain(blob(Buffer.from('abcdef'), endless()));
    assert.ok(isError('DIGEST_MISMATCH', /at least 9 bytes/)(error));
    assert.equal(bytes.toString(), 'abc');
  });

  it('says LOCAL_IO for what cannot be read', async () => {
    assert.ok(isError('LOCAL_IO', /sha256:/)((await drain(blob(Buffer.from('abcdef'), broken()))).error));
  });

  it('takes sha512, too', async () => {
    const digest: `sha512:${string}` =
      'sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';
    const source = blob(Buffer.from('abc'), [Buffer.from('abc')]);
    assert.deepEqual(await drain({ ...source, descriptor: { ...source.descriptor, digest } }), {
      bytes: Buffer.from('abc'),
      error: null,
    });
  });
});
