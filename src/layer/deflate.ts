import type { BitWriter } from './bit-writer.ts';
import { matchToken, writeBlock } from './deflate-block.ts';
import { MAX_MATCH, WINDOW } from './deflate-codes.ts';

/**
 * How hard it is tried to find a longer match: so many places are looked at, and one of so many bytes is long enough. On a
 * Plone's closure this makes a tar as small as fflate's level 4 and zlib's 4 do.
 */
const PLACES = 12;
const LONG_ENOUGH = 32;

/** Matches are found by their first four bytes: of three bytes, they save next to nothing. */
const HASHED = 4;

const HASH_BITS = 15;
/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const MULTIPLIER = 0x9e3779b1;

const MASK = WINDOW - 1;

/** Of each hash, where it was met last; of each place in the window, where its hash was met before. */
const heads = new Int32Array(2 ** HASH_BITS);
const chain = new Int32Array(WINDOW);

/** Shorter blocks have codes that suit them better, and more headers. */
const tokens = new Uint32Array(10_000);

/**
 * Deflates bytes (RFC 1951), taking the longest match at each place without a look at the next. Whole numbers alone, so that
 * the same bytes come out of every processor and Node version; nothing is allocated for each byte, and nothing kept.
 */
export function deflate(source: Uint8Array, writer: BitWriter): void {
  const view = new DataView(source.buffer, source.byteOffset, source.length);
  const end = source.length;
  const lastHashed = end - HASHED;
  heads.fill(-WINDOW - 1);
  let at = 0;
  for (let from = 0; ;) {
    let count = 0;
    while (at < end && count < tokens.length) {
      let best = HASHED - 1;
      let distance = 0;
      if (at <= lastHashed) {
        const first = view.getInt32(at, true);
        const hash = Math.imul(first, MULTIPLIER) >>> (32 - HASH_BITS);
        let place = heads[hash] ?? 0;
        heads[hash] = at;
        chain[at & MASK] = place;
        const most = Math.min(MAX_MATCH, end - at);
        const oldest = at - WINDOW;
        let tail = first;
        for (let left = PLACES; left > 0 && place >= oldest; left--) {
          // The last of the bytes that a better match must have first: it is the least likely to be there.
          if (view.getInt32(place + best - 3, true) === tail && view.getInt32(place, true) === first) {
            const length = matchLength(view, place, at, most);
            if (length > best) {
              best = length;
              distance = at - place;
              if (length >= LONG_ENOUGH || length === most) break;
              tail = view.getInt32(at + best - 3, true);
            }
          }
          place = chain[place & MASK] ?? 0;
        }
      }
      if (distance === 0) {
        tokens[count++] = source[at++] ?? 0;
        continue;
      }
      tokens[count++] = matchToken(best, distance);
      const next = at + best;
      const lastInside = Math.min(next - 1, lastHashed);
      for (at++; at <= lastInside; at++) {
        const hash = Math.imul(view.getInt32(at, true), MULTIPLIER) >>> (32 - HASH_BITS);
        chain[at & MASK] = heads[hash] ?? 0;
        heads[hash] = at;
      }
      at = next;
    }
    writeBlock(tokens.subarray(0, count), source.subarray(from, at), at === end, writer);
    from = at;
    if (at === end) return;
  }
}

/** How many bytes are the same at two places, of which the first four are known to be. */
function matchLength(view: DataView, place: number, at: number, most: number): number {
  let length = HASHED;
  for (; length + 4 <= most; length += 4) {
    const difference = view.getInt32(place + length, true) ^ view.getInt32(at + length, true);
    if (difference !== 0) return length + ((31 - Math.clz32(difference & -difference)) >> 3);
  }
  while (length < most && view.getUint8(place + length) === view.getUint8(at + length)) length++;
  return length;
}
