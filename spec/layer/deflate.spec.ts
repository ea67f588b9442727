import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { inflateSync } from 'fflate';
import { BitWriter } from '../../src/layer/bit-writer.ts';
import { DISTANCES, LENGTHS } from '../../src/layer/deflate-codes.ts';
import { deflate } from '../../src/layer/deflate.ts';
import { MAX_CODE_BITS, canonicalCodes, codeLengths } from '../../src/layer/huffman.ts';

function deflated(source: Uint8Array): Uint8Array {
  const writer = new BitWriter(new Uint8Array(source.length + 4096), 0);
  deflate(source, writer);
  writer.align();
  return writer.bytes.subarray(0, writer.length);
}

/** By two readers that know nothing of each other. */
function assertRoundTrip(source: Uint8Array, what?: string): void {
  const bytes = deflated(source);
  assert.ok(Buffer.from(source).equals(inflateRawSync(bytes)), what);
  assert.ok(Buffer.from(source).equals(inflateSync(bytes, { out: new Uint8Array(source.length) })), what);
}

/** Bytes that repeat in every way that deflate knows: near, far, short, long, and over themselves. */
function mixed(bytes: number, alphabet: number): Uint8Array {
  const source = new Uint8Array(bytes);
  let state = alphabet;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let at = 0; at < bytes;) {
    const length = 1 + next(next(4) === 0 ? 600 : 12);
    if (at > 0 && next(2) === 0) {
      const distance = 1 + next(Math.min(at, next(3) === 0 ? 40_000 : 300));
      for (let end = Math.min(bytes, at + length); at < end; at++) source[at] = source[at - distance] ?? 0;
    } else for (let end = Math.min(bytes, at + length); at < end; at++) source[at] = next(alphabet);
  }
  return source;
}

describe('deflate', () => {
  it('of anything is what it was', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 600 }),
          fc.uint8Array({ max: 2, maxLength: 3000 }),
          fc
            .tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 400 }))
            .map(([piece, times]) =>
              Uint8Array.from({ length: piece.length * times }, (_, at) => piece[at % piece.length] ?? 0),
            ),
        ),
        (source) => assertRoundTrip(source),
      ),
    );
  });

  for (const alphabet of [1, 2, 5, 64, 256])
    it(`of a mebibyte of ${alphabet} different bytes, repeated near and far, is what it was`, () =>
      assertRoundTrip(mixed(1024 * 1024, alphabet)));

  it('of every length up to a few matches is what it was', () => {
    const source = mixed(600, 3);
    for (let length = 0; length <= source.length; length++)
      assertRoundTrip(source.subarray(0, length), `${length} bytes`);
  });

  it('of a program is what it was', () => assertRoundTrip(readFileSync(process.execPath).subarray(0, 8 * 1024 * 1024)));

  it('depends on nothing that was deflated before', () => {
    const source = mixed(100_000, 16);
    const before = Buffer.from(deflated(source));
    deflated(mixed(200_000, 7));
    assert.ok(before.equals(deflated(source)));
  });

  it('finds a match as long, and as far away, as deflate can say, and none that is farther', () => {
    const noise = mixed(33_000, 256).map((byte, at) => byte ^ (Math.imul(at, 2_654_435_761) >>> 24));
    const near = Uint8Array.of(...noise.subarray(0, 32_768), ...noise.subarray(0, 258));
    const far = Uint8Array.of(...noise.subarray(0, 32_769), ...noise.subarray(0, 258));
    assertRoundTrip(near);
    assertRoundTrip(far);
    const [base, one, other] = [noise.subarray(0, 32_768), near, far].map((source) => deflated(source).length);
    assert.ok((one ?? 0) - (base ?? 0) < 100, `${one} bytes after ${base}`);
    assert.ok((other ?? 0) - (base ?? 0) > 200, `${other} bytes after ${base}`);
  });

  it('stores what has no match, with a few bytes more', () => {
    let state = 1;
    const noise = Uint8Array.from(
      { length: 300_000 },
      () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 24,
    );
    assertRoundTrip(noise);
    assert.ok(deflated(noise).length < noise.length + 1000);
  });
});

describe('the codes of deflate', () => {
  it('are those of RFC 1951, section 3.2.5', () => {
    const pairs = ({ bases, extraBits }: typeof LENGTHS): string[] =>
      Array.from(bases, (base, code) => `${extraBits[code]} ${base}`);
    assert.deepEqual(pairs(LENGTHS).slice(0, 12), [
      '0 3',
      '0 4',
      '0 5',
      '0 6',
      '0 7',
      '0 8',
      '0 9',
      '0 10',
      '1 11',
      '1 13',
      '1 15',
      '1 17',
    ]);
    assert.deepEqual(pairs(LENGTHS).slice(-3), ['5 195', '5 227', '0 258']);
    assert.deepEqual(pairs(DISTANCES).slice(0, 8), ['0 1', '0 2', '0 3', '0 4', '1 5', '1 7', '2 9', '2 13']);
    assert.deepEqual(pairs(DISTANCES).slice(-2), ['13 16385', '13 24577']);
  });
});

describe('a Huffman code', () => {
  it('is the canonical one of RFC 1951, section 3.2.2', () => {
    const lengths = Uint8Array.of(3, 3, 3, 3, 3, 2, 4, 4);
    const codes = new Uint16Array(8);
    canonicalCodes(lengths, codes);
    const texts = Array.from(codes, (code, symbol) =>
      Array.from(code.toString(2).padStart(lengths[symbol] ?? 0, '0'))
        .reverse()
        .join(''),
    );
    assert.deepEqual(texts, ['010', '011', '100', '101', '110', '00', '1110', '1111']);
  });

  it('has a prefix for every frequency, no longer than it may be, and none wasted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constant(0), fc.nat(5), fc.nat(1_000_000)), { minLength: 2, maxLength: 286 }),
        (counts) => {
          const frequencies = Uint32Array.from(counts);
          const lengths = new Uint8Array(counts.length);
          codeLengths(frequencies, MAX_CODE_BITS, lengths);
          const used = counts.filter((count) => count > 0).length;
          assert.ok(counts.every((count, symbol) => count === 0 || (lengths[symbol] ?? 0) > 0));
          assert.ok(Math.max(...lengths) <= MAX_CODE_BITS);
          assert.equal(
            lengths.reduce((sum, bits) => sum + (bits === 0 ? 0 : 2 ** -bits), 0),
            1,
          );
          if (used > 1) assert.equal(lengths.filter((bits) => bits > 0).length, used);
        },
      ),
    );
  });

  it('is as short as any where it need not be cut off', () => {
    const lengths = new Uint8Array(6);
    codeLengths(Uint32Array.of(45, 13, 12, 16, 9, 5), MAX_CODE_BITS, lengths);
    assert.deepEqual([...lengths], [1, 3, 3, 3, 4, 4]);
  });

  it('is cut off where frequencies grow as Fibonacci numbers do', () => {
    const frequencies = new Uint32Array(30);
    for (let symbol = 0, [one, other] = [1, 1]; symbol < 30; symbol++, [one, other] = [other, one + other])
      frequencies[symbol] = one;
    const lengths = new Uint8Array(30);
    codeLengths(frequencies, 7, lengths);
    assert.equal(Math.max(...lengths), 7);
    assert.equal(
      lengths.reduce((sum, bits) => sum + 2 ** -bits, 0),
      1,
    );
  });
});
