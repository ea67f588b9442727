import type { BitWriter } from './bit-writer.ts';
import { DISTANCES, LENGTHS, LENGTH_CODES, distanceCode } from './deflate-codes.ts';
import { MAX_CODE_BITS, canonicalCodes, codeLengths } from './huffman.ts';

const END_OF_BLOCK = 256;
const LITERALS = 286;
const STORED_BYTES = 0xffff;

/** The codes of code lengths in the order in which they stand in a header (RFC 1951 section 3.2.7). */
const HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;
const MAX_HEADER_BITS = 7;
const REPEAT = 16;
const ZEROS = 17;
const MANY_ZEROS = 18;

/** A symbol of an alphabet, how often it occurs, and its code. */
interface Alphabet {
  readonly frequencies: Uint32Array;
  readonly lengths: Uint8Array;
  readonly codes: Uint16Array;
}

function alphabet(symbols: number): Alphabet {
  return {
    frequencies: new Uint32Array(symbols),
    lengths: new Uint8Array(symbols),
    codes: new Uint16Array(symbols),
  };
}

/** A run of code lengths in a block's header: its code, and the bits that follow. */
interface Run {
  readonly code: number;
  readonly extra: number;
  readonly extraBits: number;
}

/** A match in place of a byte: its length, shifted, and its distance less one. */
export function matchToken(length: number, distance: number): number {
  return (length << 15) | (distance - 1);
}

const literals = alphabet(LITERALS);
const distances = alphabet(DISTANCES.bases.length);

/**
 * Writes bytes and matches as one block of deflate (RFC 1951 section 3.2.3), with codes of its own or, where that is no longer,
 * as what they stand for: `source`.
 */
export function writeBlock(tokens: Uint32Array, source: Uint8Array, isLast: boolean, writer: BitWriter): void {
  countSymbols(tokens);
  codeLengths(literals.frequencies, MAX_CODE_BITS, literals.lengths);
  codeLengths(distances.frequencies, MAX_CODE_BITS, distances.lengths);
  const header = headerOf(literals.lengths, distances.lengths);
  const bits =
    header.bits + bitsOf(literals, END_OF_BLOCK + 1, LENGTHS.extraBits) + bitsOf(distances, 0, DISTANCES.extraBits);
  if (bits >= 8 * source.length) {
    writeStored(source, isLast, writer);
    return;
  }
  writer.put(isLast ? 1 : 0, 1);
  writer.put(2, 2);
  header.write(writer);
  canonicalCodes(literals.lengths, literals.codes);
  canonicalCodes(distances.lengths, distances.codes);
  writeTokens(tokens, writer);
  writer.put(literals.codes[END_OF_BLOCK] ?? 0, literals.lengths[END_OF_BLOCK] ?? 0);
}

function countSymbols(tokens: Uint32Array): void {
  literals.frequencies.fill(0);
  distances.frequencies.fill(0);
  literals.frequencies[END_OF_BLOCK] = 1;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] ?? 0;
    if (token <= 0xff) {
      add(literals.frequencies, token);
      continue;
    }
    add(literals.frequencies, END_OF_BLOCK + 1 + (LENGTH_CODES[token >>> 15] ?? 0));
    add(distances.frequencies, distanceCode((token & 0x7fff) + 1));
  }
}

/** The innermost loop: its state is in variables, and not in the writer. */
function writeTokens(tokens: Uint32Array, writer: BitWriter): void {
  const { codes, lengths } = literals;
  const { codes: distanceCodes, lengths: distanceLengths } = distances;
  const { bytes } = writer;
  let { bits, bitCount, length: at } = writer;
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] ?? 0;
    if (token <= 0xff) {
      bits |= (codes[token] ?? 0) << bitCount;
      bitCount += lengths[token] ?? 0;
    } else {
      const length = token >>> 15;
      const distance = (token & 0x7fff) + 1;
      const lengthCode = LENGTH_CODES[length] ?? 0;
      bits |= (codes[257 + lengthCode] ?? 0) << bitCount;
      bitCount += lengths[257 + lengthCode] ?? 0;
      if (bitCount >= 16) {
        bytes[at++] = bits;
        bytes[at++] = bits >>> 8;
        bits >>>= 16;
        bitCount -= 16;
      }
      bits |= (length - (LENGTHS.bases[lengthCode] ?? 0)) << bitCount;
      bitCount += LENGTHS.extraBits[lengthCode] ?? 0;
      if (bitCount >= 16) {
        bytes[at++] = bits;
        bytes[at++] = bits >>> 8;
        bits >>>= 16;
        bitCount -= 16;
      }
      const code = distanceCode(distance);
      bits |= (distanceCodes[code] ?? 0) << bitCount;
      bitCount += distanceLengths[code] ?? 0;
      if (bitCount >= 16) {
        bytes[at++] = bits;
        bytes[at++] = bits >>> 8;
        bits >>>= 16;
        bitCount -= 16;
      }
      bits |= (distance - (DISTANCES.bases[code] ?? 0)) << bitCount;
      bitCount += DISTANCES.extraBits[code] ?? 0;
    }
    if (bitCount >= 16) {
      bytes[at++] = bits;
      bytes[at++] = bits >>> 8;
      bits >>>= 16;
      bitCount -= 16;
    }
  }
  writer.bits = bits;
  writer.bitCount = bitCount;
  writer.length = at;
}

function add(frequencies: Uint32Array, symbol: number): void {
  frequencies[symbol] = (frequencies[symbol] ?? 0) + 1;
}

/** The bits of everything that occurs; extra bits follow the symbols from `first` on. */
function bitsOf({ frequencies, lengths }: Alphabet, first: number, extraBits: Uint8Array): number {
  let sum = 0;
  for (const [symbol, frequency] of frequencies.entries())
    sum += frequency * ((lengths[symbol] ?? 0) + (extraBits[symbol - first] ?? 0));
  return sum;
}

/** Both alphabets' code lengths, themselves encoded (RFC 1951 section 3.2.7). */
function headerOf(
  literalLengths: Uint8Array,
  distanceLengths: Uint8Array,
): { readonly bits: number; readonly write: (writer: BitWriter) => void } {
  const literalCount = used(literalLengths, END_OF_BLOCK + 1);
  const distanceCount = used(distanceLengths, 1);
  const runs = runsOf([...literalLengths.subarray(0, literalCount), ...distanceLengths.subarray(0, distanceCount)]);
  const { frequencies, lengths, codes } = alphabet(HEADER_ORDER.length);
  for (const { code } of runs) add(frequencies, code);
  codeLengths(frequencies, MAX_HEADER_BITS, lengths);
  canonicalCodes(lengths, codes);
  const ordered = Uint8Array.from(HEADER_ORDER, (code) => lengths[code] ?? 0);
  const orderedCount = used(ordered, 4);
  const runBits = runs.reduce((sum, { code, extraBits }) => sum + (lengths[code] ?? 0) + extraBits, 0);
  return {
    bits: 5 + 5 + 4 + 3 * orderedCount + runBits,
    write(writer) {
      writer.put(literalCount - 257, 5);
      writer.put(distanceCount - 1, 5);
      writer.put(orderedCount - 4, 4);
      for (const length of ordered.subarray(0, orderedCount)) writer.put(length, 3);
      for (const { code, extra, extraBits } of runs) {
        writer.put(codes[code] ?? 0, lengths[code] ?? 0);
        writer.put(extra, extraBits);
      }
    },
  };
}

/** How many there are without the zeros at the end, but at least so many. */
function used(lengths: Uint8Array, atLeast: number): number {
  let count = lengths.length;
  while (count > atLeast && lengths[count - 1] === 0) count--;
  return count;
}

function runsOf(lengths: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < lengths.length;) {
    const length = lengths[at] ?? 0;
    let left = 1;
    while (lengths[at + left] === length) left++;
    at += left;
    if (length !== 0) {
      runs.push({ code: length, extra: 0, extraBits: 0 });
      left--;
    }
    for (; left >= 3;) {
      const [code, most, fewest, extraBits] =
        length !== 0 ? [REPEAT, 6, 3, 2] : left <= 10 ? [ZEROS, 10, 3, 3] : [MANY_ZEROS, 138, 11, 7];
      const taken = Math.min(left, most);
      runs.push({ code, extra: taken - fewest, extraBits });
      left -= taken;
    }
    for (; left > 0; left--) runs.push({ code: length, extra: 0, extraBits: 0 });
  }
  return runs;
}

/** RFC 1951 section 3.2.4. */
function writeStored(source: Uint8Array, isLast: boolean, writer: BitWriter): void {
  for (let at = 0; at === 0 || at < source.length; at += STORED_BYTES) {
    const piece = source.subarray(at, at + STORED_BYTES);
    writer.put(isLast && at + STORED_BYTES >= source.length ? 1 : 0, 3);
    writer.align();
    writer.append(Uint8Array.of(piece.length, piece.length >> 8, ~piece.length, ~piece.length >> 8));
    writer.append(piece);
  }
}
