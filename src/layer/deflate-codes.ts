/**
 * The codes of lengths and distances (RFC 1951 section 3.2.5): which one stands for what, and how many bits follow it. They
 * are reckoned and not copied: twice four, or twice two, codes have each number of bits.
 */
export interface Codes {
  /** The first value of each code. */
  readonly bases: Uint16Array;
  readonly extraBits: Uint8Array;
}

export const MIN_MATCH = 3;
export const MAX_MATCH = 258;
export const WINDOW: number = 32 * 1024;

/** The last code is 258 alone, which the one before it could stand for, too. */
export const LENGTHS: Codes = withLast(codes(28, 4, MIN_MATCH), MAX_MATCH);
export const DISTANCES: Codes = codes(30, 2, 1);

function codes(count: number, ofEach: number, first: number): Codes {
  const extraBits = Uint8Array.from({ length: count }, (_, code) => Math.max(0, Math.floor(code / ofEach) - 1));
  let next = first;
  const bases = Uint16Array.from(extraBits, (bits) => {
    const base = next;
    next += 2 ** bits;
    return base;
  });
  return { bases, extraBits };
}

function withLast({ bases, extraBits }: Codes, value: number): Codes {
  return { bases: Uint16Array.of(...bases, value), extraBits: Uint8Array.of(...extraBits, 0) };
}

/** The code of each length. */
export const LENGTH_CODES: Uint8Array = new Uint8Array(MAX_MATCH + 1);
for (const [code, base] of LENGTHS.bases.entries()) LENGTH_CODES.fill(code, base);

/** The code of each distance less one up to 255, and then of each 128th. */
const DISTANCE_CODES = new Uint8Array(512);
for (const [code, base] of DISTANCES.bases.entries()) {
  if (base <= 256) DISTANCE_CODES.fill(code, base - 1, 256);
  else DISTANCE_CODES.fill(code, 256 + ((base - 1) >> 7));
}

export function distanceCode(distance: number): number {
  const index = distance - 1;
  return DISTANCE_CODES[index < 256 ? index : 256 + (index >> 7)] ?? 0;
}
