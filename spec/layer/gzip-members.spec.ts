import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { deflateRawSync, gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { decode } from '../../src/layer/decode.ts';
import { takeMembers } from '../../src/layer/gzip-members.ts';
import { SEED, times } from '../support/chance.ts';

const MEBIBYTE = 1024 * 1024;
const HEADER = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

async function* pieces(archive: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += length) yield await Promise.resolve(archive.subarray(at, at + length));
}

/** What comes out, and how many compressed bytes each piece was said to end at. */
async function decoded(archive: Uint8Array, length = 100_000): Promise<{ plain: Buffer; ends: readonly number[] }> {
  const [parts, ends] = [[] as Buffer[], [] as number[]];
  const take = (piece: Uint8Array, compressed: number): undefined => {
    parts.push(Buffer.from(piece));
    ends.push(compressed);
  };
  await decode(pieces(archive, length), { format: 'gzip', where: 'x.tar.gz', take });
  return { plain: Buffer.concat(parts), ends };
}

/** A member whose header is another than ours. */
function named(content: Uint8Array): Buffer {
  const [plain, deflated] = [gzipSync(content), deflateRawSync(content)];
  const head = Buffer.from([0x1f, 0x8b, 8, 8, 1, 2, 3, 4, 0, 3, ...Buffer.from('name\0')]);
  return Buffer.concat([head, deflated, plain.subarray(-8)]);
}

const stored = (content: Uint8Array): Buffer => gzipSync(content, { level: 0 });
const noise = randomBytes(5 * MEBIBYTE);
const small = Array.from({ length: 12 }, (_, number) =>
  gzipSync(noise.subarray(number * 1000, number * 1000 + 70_000)),
);

const WHOLE: Readonly<Record<string, readonly Uint8Array[]>> = {
  'one member': [gzipSync(noise.subarray(0, 1000))],
  'an empty member': [gzipSync(''), gzipSync('x'), gzipSync('')],
  'more members than are inflated at a time': small,
  'members of a mebibyte that does not compress': [0, 1, 2].map((n) => stored(noise.subarray(n, n + MEBIBYTE))),
  'a member that is larger than ours': [...small.slice(0, 5), gzipSync(noise), ...small.slice(5)],
  'a member that inflates to much more': [
    ...small.slice(0, 5),
    gzipSync(Buffer.alloc(9 * MEBIBYTE)),
    ...small.slice(5),
  ],
  'a member with a name': [...small.slice(0, 2), named(noise.subarray(0, 500)), ...small.slice(2)],
  'a header in a member': [...small.slice(0, 3), stored(HEADER), stored(Buffer.concat([HEADER, HEADER])), ...small],
  'a header far inside of a member': [
    ...small.slice(0, 3),
    stored(Buffer.concat([noise.subarray(0, 9000), HEADER, noise.subarray(0, 9000)])),
    ...small,
  ],
  'thousands of empty members': Array.from({ length: 5000 }, () => gzipSync('')),
  'members of a mebibyte of zeros': Array.from({ length: 20 }, () => gzipSync(Buffer.alloc(MEBIBYTE))),
  'an archive in a member': [stored(Buffer.concat(small)), stored(small[0] ?? Buffer.alloc(0)), gzipSync('x')],
};

describe('gzip in members', () => {
  for (const [what, members] of Object.entries(WHOLE))
    it(`is what a reader from its beginning reads: ${what}`, async () => {
      const archive = Buffer.concat(members);
      for (const length of [archive.length, 100_000, 977]) {
        const { plain, ends } = await decoded(archive, length);
        assert.ok(plain.equals(gunzipSync(archive)), `${length} bytes at a time`);
        assert.deepEqual(
          ends,
          ends.toSorted((one, other) => one - other),
        );
        if (plain.length > 0) assert.equal(ends.at(-1), archive.length);
      }
    });

  const flipped = Buffer.from(small[7] ?? '');
  flipped.writeUInt8(flipped.readUInt8(flipped.length - 6) ^ 1, flipped.length - 6);
  const BROKEN: Readonly<Record<string, readonly Uint8Array[]>> = {
    'a wrong checksum': [...small.slice(0, 7), flipped, ...small.slice(8)],
    'a member that is cut off, before another': [...small.slice(0, 3), (small[3] ?? HEADER).subarray(0, -9), ...small],
    'the last member cut off': [...small, (small[0] ?? HEADER).subarray(0, 200)],
    'nothing but a header at the end': [...small, HEADER],
    'zeros at the end': [...small, Buffer.alloc(512)],
    'zeros between members': [...small.slice(0, 3), Buffer.alloc(512), ...small.slice(3)],
    'text at the end': [...small, Buffer.from('and more')],
  };
  for (const [what, members] of Object.entries(BROKEN))
    it(`is an error that is not passed over: ${what}`, async () => {
      for (const length of [1e9, 977])
        await assert.rejects(decoded(Buffer.concat(members), length), { code: /^(INPUT_MALFORMED|Z_[A-Z]+_ERROR)$/ });
    });

  const text = gzipSync(Buffer.from(noise.toString('base64').slice(0, MEBIBYTE)));
  const many = Array.from({ length: 150 }, () => text);

  it('stops where a piece is refused, though threads are at the next ones', async () => {
    for (const last of [90, 91, 92, 120]) {
      let taken = 0;
      const refuse = (): undefined => {
        if (++taken === last) throw new RangeError('refused');
      };
      const source = pieces(Buffer.concat(many), 256 * 1024)[Symbol.asyncIterator]();
      await assert.rejects(takeMembers(source, refuse), RangeError);
      // What was under way ends in this time, and must not be what nobody listens to.
      await setTimeout(50);
    }
  });

  it('leaves a broken member and all after it, though threads are at those', async () => {
    const broken = Buffer.from(text);
    broken.writeUInt32LE(0, broken.length - 8);
    const archive = Buffer.concat([...many.slice(0, 100), broken, ...many.slice(0, 20)]);
    const left = await takeMembers(pieces(archive, 256 * 1024)[Symbol.asyncIterator](), () => undefined);
    assert.equal(left?.compressed, 100 * text.length);
    assert.ok(archive.subarray(100 * text.length).indexOf(Buffer.concat(left?.head ?? [])) === 0);
    await setTimeout(50);
  });

  it('is read as one from its beginning, whatever the members are', async (t) => {
    t.diagnostic(`OCI_PLONE_SEED=${SEED}`);
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.constant(HEADER),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.concat([HEADER, bytes, HEADER])),
    );
    const member = fc.tuple(content, fc.constantFrom(0, 1, 6)).map(([bytes, level]) => gzipSync(bytes, { level }));
    const run = async (members: readonly Uint8Array[], length: number): Promise<void> => {
      const archive = Buffer.concat(members);
      assert.ok((await decoded(archive, length)).plain.equals(gunzipSync(archive)));
    };
    const property = fc.asyncProperty(
      fc.array(member, { minLength: 1, maxLength: 9 }),
      fc.integer({ min: 1, max: 9000 }),
      run,
    );
    await fc.assert(property, { seed: SEED, numRuns: times(200) });
  });

  it('is inflated several members at a time, and no more than that are read', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for await (const piece of pieces(Buffer.concat(small), 1000)) {
        read += piece.length;
        yield piece;
      }
    }
    const [first = HEADER] = small;
    let most = 0;
    const left = await takeMembers(counted(), (_, compressed) => void (most = Math.max(most, read - compressed)));
    assert.equal(left, null);
    assert.ok(most > first.length && most < 5 * first.length + 1000, `${most} bytes ahead`);
  });
});
