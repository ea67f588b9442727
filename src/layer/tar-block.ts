import { OciPloneError } from '../errors.ts';
import { BLOCK_BYTES, sumOf } from './tar-header.ts';

/** What a header says of an entry; a pax or GNU header before it may know better. */
export interface Header {
  readonly name: string;
  readonly mode: number;
  /** Bytes of what follows. */
  readonly size: number;
  /** The typeflag; `0` for the old way to write a file, which is a zero byte. */
  readonly type: string;
  readonly target: string;
  /** It is written without its holes, which only a pax header tells. */
  readonly sparse: boolean;
}

const [SPACE, ZERO, SEVEN] = [0x20, 0x30, 0x37];

const POSIX_MAGIC = Buffer.from('ustar\0');
const GNU_MAGIC = Buffer.from('ustar  \0');
const MAGIC_AT = 257;

/**
 * Reads a header as POSIX ("ustar Interchange Format") and GNU tar write it. Throws INPUT_MALFORMED for a wrong sum, a
 * number that is none, and formats without a magic. What other readers would read differently is an error here: an archive
 * must not be one thing to us and another to them.
 */
export function parseHeader(block: Buffer, where: string): Header {
  if (headerSum(block) !== numberIn(block, 148, 8, where))
    throw malformed(where, 'a header that does not have its own sum');
  const ustar = hasAt(block, POSIX_MAGIC, MAGIC_AT);
  if (!ustar && !hasAt(block, GNU_MAGIC, MAGIC_AT))
    throw malformed(where, 'a header that is neither of POSIX nor of GNU tar');
  const name = textIn(block, 0, 100);
  // GNU tar keeps other things there.
  const prefix = ustar ? textIn(block, 345, 155) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numberIn(block, 100, 8, where) & 0o7777,
    size: numberIn(block, 124, 12, where),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0),
    target: textIn(block, 157, 100),
    sparse: false,
  };
}

function hasAt(block: Buffer, bytes: Buffer, start: number): boolean {
  return block.compare(bytes, 0, bytes.length, start, start + bytes.length) === 0;
}

/** The sum of a header's bytes, its own field taken for spaces. */
function headerSum(block: Buffer): number {
  return sumOf(block, 0, 148) + 8 * SPACE + sumOf(block, 156, BLOCK_BYTES);
}

/** A text of at most so many bytes, which ends at a zero byte where it is shorter. */
function textIn(block: Buffer, start: number, length: number): string {
  if (block[start] === 0) return '';
  const zero = block.indexOf(0, start);
  return block.toString('utf8', start, zero < 0 ? start + length : Math.min(zero, start + length));
}

/**
 * Octal digits, with spaces or zero bytes before and after them (POSIX pax, "ustar"). Byte by byte: a text for each number
 * of each header is garbage by the megabyte.
 */
function numberIn(block: Buffer, start: number, length: number, where: string): number {
  if (((block[start] ?? 0) & 0x80) !== 0) return binaryIn(block.subarray(start, start + length), where);
  let value = 0;
  let state: 'before' | 'in' | 'after' = 'before';
  for (let at = start; at < start + length; at++) {
    const byte = block[at] ?? 0;
    if (byte === 0 || byte === SPACE) {
      if (state === 'in') state = 'after';
      continue;
    }
    if (byte < ZERO || byte > SEVEN || state === 'after') throw malformed(where, 'a header with a number that is none');
    state = 'in';
    value = value * 8 + byte - ZERO;
  }
  return value;
}

/** GNU's numbers for which octal digits are too few: a bit, then the number's bytes; negative ones begin with 0xff. */
function binaryIn(field: Buffer, where: string): number {
  let value = 0;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (field[0] !== 0x80 || !Number.isSafeInteger(value)) throw malformed(where, 'a header with a number out of range');
  return value;
}

export function malformed(where: string, what: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${where}: ${what}`);
}
