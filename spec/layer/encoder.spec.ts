import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { BlobWriter, type PackedBlob } from '../../src/layer/blob.ts';
import {
  type Compression,
  ENCODERS,
  type EncoderName,
  PLAIN,
  assertEncoder,
  withEncoder,
} from '../../src/layer/encoder.ts';
import { recipeId } from '../../src/layer/recipe.ts';
import { noZstd, unzstd } from '../support/archives.ts';
import { hasCode } from '../support/codes.ts';

const MEBIBYTE = 1024 * 1024;

/** The same on every machine, neither random nor one long repetition: numbers of a linear congruence, in words. */
function sample(bytes: number): Buffer {
  let state = 1;
  const words: string[] = [];
  for (let length = 0; length < bytes;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const word = (state >>> 12).toString(36);
    words.push(word);
    length += word.length + 1;
  }
  return Buffer.from(`${words.join(' ')} `).subarray(0, bytes);
}

const INPUT = Buffer.concat([sample(2 * MEBIBYTE + 12_345), Buffer.alloc(MEBIBYTE), sample(777)]);

const DIFF_ID: PackedBlob['diffId'] = 'sha256:7562700227ffd6f9f4741dbe6e04da8eb4397d52aa4120f8755de86d250adfaa';

/** What each recipe makes of INPUT, everywhere. Another version, or another setting, is another recipe. */
const GOLDEN: Readonly<Record<'libdeflate' | 'fflate', PackedBlob & { readonly id: string }>> = {
  fflate: {
    id: 'gzip-fflate0.8-4-1MiB',
    digest: 'sha256:7fc3aef2feecdc8095b61ebd6c685283f658af45069dc6df67b5e7205c89557c',
    size: 1_403_880,
    diffId: DIFF_ID,
  },
  libdeflate: {
    id: 'gzip-libdeflate0.1-4-1MiB',
    digest: 'sha256:63c7a3b102260d6a9d605a0f4f9a7685972432bc0b1b3252e3cffe895656dd35',
    size: 1_289_655,
    diffId: DIFF_ID,
  },
};

interface Encoded extends PackedBlob {
  readonly bytes: Buffer;
  /** What the sink got, piece by piece: one member or frame each. */
  readonly pieces: readonly Uint8Array[];
  readonly id: string;
  readonly mediaType: string;
}

async function encoded(
  compression: Compression,
  name: EncoderName,
  input: Uint8Array,
  step = 65_536,
): Promise<Encoded> {
  return withEncoder(compression, name, async (encoder) => {
    const pieces: Uint8Array[] = [];
    const blob = new BlobWriter(encoder, (piece) => {
      pieces.push(Uint8Array.from(piece));
      return Promise.resolve();
    });
    for (let at = 0; at < input.length; at += step) {
      blob.write(input.subarray(at, at + step));
      await blob.ready();
    }
    const { id, mediaType } = encoder;
    return { ...(await blob.finish()), bytes: Buffer.concat(pieces), pieces, id, mediaType };
  });
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

describe('gzip', () => {
  for (const name of ENCODERS)
    it(`by ${name} is the tar again, in members of whole mebibytes`, async () => {
      const { bytes, pieces, digest, size, diffId, mediaType } = await encoded('gzip', name, INPUT);
      assert.deepEqual(gunzipSync(bytes), INPUT);
      assert.deepEqual(
        pieces.map((member) => gunzipSync(member).length),
        name === 'zlib' ? [2 * MEBIBYTE, MEBIBYTE + 13_122] : [MEBIBYTE, MEBIBYTE, MEBIBYTE, 13_122],
      );
      assert.deepEqual([digest, size, diffId], [sha256(bytes), bytes.length, sha256(INPUT)]);
      assert.equal(mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip');
    });

  it('has members without time, name or other fields, and one fixed system (RFC 1952)', async () => {
    const headers = (await encoded('gzip', 'libdeflate', INPUT)).pieces.map((member) =>
      Buffer.from(member.subarray(0, 10)),
    );
    assert.equal(headers.length, 4);
    for (const header of headers) {
      assert.deepEqual([...header.subarray(0, 8)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
      assert.equal(header[9], 3, 'the operating system');
      assert.deepEqual(header, headers[0]);
    }
  });

  for (const name of ['libdeflate', 'fflate'] as const) {
    it(`by ${name} has the bytes that it has always had`, async () => {
      const { digest, size, diffId, id } = await encoded('gzip', name, INPUT);
      assert.deepEqual({ digest, size, diffId, id }, GOLDEN[name]);
    });

    it(`by ${name} has the same bytes in whatever pieces the tar comes`, async () => {
      for (const step of [512, MEBIBYTE - 1, INPUT.length]) {
        const { digest, diffId } = await encoded('gzip', name, INPUT, step);
        assert.deepEqual([digest, diffId], [GOLDEN[name].digest, DIFF_ID], `in pieces of ${step}`);
      }
    });

    it(`by ${name} has the same bytes again, whichever thread encoded what`, async () => {
      const many = sample(6 * MEBIBYTE + 1);
      const runs = await Promise.all([1, 2].map(() => encoded('gzip', name, many)));
      assert.equal(new Set(runs.map(({ digest }) => digest)).size, 1);
      assert.deepEqual(gunzipSync(runs[0]?.bytes ?? ''), many);
    });
  }

  it('by libdeflate leaves it to the caller to listen for what goes wrong in the process', async () => {
    const counts = (): number[] =>
      ['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event));
    const before = counts();
    await encoded('gzip', 'libdeflate', INPUT);
    assert.deepEqual(counts(), before);
  });

  it('takes what cannot be made smaller', async () => {
    const dense = Buffer.alloc(3 * MEBIBYTE);
    let state = 7;
    for (let at = 0; at < dense.length; at++)
      dense[at] = (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24;
    for (const name of ENCODERS) {
      const { bytes } = await encoded('gzip', name, dense);
      assert.deepEqual(gunzipSync(bytes), dense, name);
    }
  });

  for (const size of [1, 1024, MEBIBYTE - 1, MEBIBYTE, MEBIBYTE + 1, 2 * MEBIBYTE])
    it(`cuts ${size} bytes into whole members and a rest`, async () => {
      const { pieces, bytes } = await encoded('gzip', 'libdeflate', INPUT.subarray(0, size));
      assert.equal(pieces.length, Math.ceil(size / MEBIBYTE));
      assert.deepEqual(gunzipSync(bytes), INPUT.subarray(0, size));
    });
});

describe('every encoder', () => {
  it('gives the same diff_id', async () => {
    const plain = sha256(INPUT);
    for (const name of ENCODERS) assert.equal((await encoded('gzip', name, INPUT)).diffId, plain, name);
  });

  const skip = availableParallelism() > 1 ? false : 'no thread beside the only processor';
  it('starts its threads when it is told to, or for the first whole block, and no earlier', { skip }, async () => {
    let started = 0;
    const count = (): void => void (started += 1);
    process.on('worker', count);
    try {
      await withEncoder('gzip', 'zlib', async (encoder) => {
        assert.equal(started, 0);
        encoder.start();
        await setImmediate();
        const all = started;
        assert.ok(all > 0);
        encoder.start();
        await setImmediate();
        assert.equal(started, all);
      });
      started = 0;
      await encoded('gzip', 'zlib', sample(MEBIBYTE));
      assert.equal(started, 0);
      await encoded('gzip', 'zlib', sample(2 * MEBIBYTE));
      assert.ok(started > 0);
    } finally {
      process.off('worker', count);
    }
  });

  it('is named in the recipe', async () => {
    const ids = await Promise.all(ENCODERS.map(async (name) => (await encoded('gzip', name, INPUT)).id));
    assert.equal(new Set([...ids, PLAIN.id]).size, ENCODERS.length + 1);
    for (const id of ids) assert.ok(recipeId({ id }).endsWith(id));
    assert.ok(ENCODERS.every((name, index) => ids[index]?.includes(name)));
  });
});

describe('zstd', () => {
  it('gives the same diff_id, in frames of four mebibytes', { skip: noZstd }, async () => {
    const input = Buffer.concat([INPUT, INPUT]);
    const { pieces, diffId, digest, bytes, mediaType } = await encoded('zstd', 'libdeflate', input);
    assert.deepEqual(
      pieces.map((frame) => unzstd(frame).length),
      [4 * MEBIBYTE, input.length - 4 * MEBIBYTE],
    );
    assert.deepEqual(Buffer.concat(pieces.map(unzstd)), input);
    assert.deepEqual([diffId, digest], [sha256(input), sha256(bytes)]);
    assert.equal(mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd');
    assert.doesNotThrow(() => assertEncoder('zstd'));
  });

  it('is a usage error where Node has none', { skip: noZstd === false && 'this Node has zstd' }, async () => {
    assert.throws(() => assertEncoder('zstd'), hasCode('USAGE'));
    await assert.rejects(encoded('zstd', 'libdeflate', INPUT), hasCode('USAGE'));
  });
});
