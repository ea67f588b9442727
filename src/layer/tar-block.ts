import { OciPloneError } from '../errors.ts';
import { BLOCK_BYTES } from './tar-header.ts';

/** A header's fields as they stand in it, before a pax or GNU header before it has its say. */
export interface HeaderFields {
  readonly name: string;
  readonly mode: number;
  /** Bytes of what follows. */
  readonly size: number;
  /** The typeflag; `0` for the old way to write a file, which is a zero byte. */
  readonly type: string;
  readonly target: string;
}

/** What a field holds that is a number: octal digits with spaces or zero bytes around them (POSIX pax, "ustar"). */
const OCTAL = /^[ \0]*([0-7]*)[ \0]*$/;

/**
 * Reads a header as POSIX ("ustar Interchange Format") and GNU tar write it. Throws INPUT_MALFORMED for a wrong sum, a
 * number that is none, and formats without a magic. What other readers would read differently is an error here: an archive
 * must not be one thing to us and another to them.
 */
export function parseHeader(block: Buffer, where: string): HeaderFields {
  if (sumOf(block) !== numberIn(block, 148, 8, where)) throw malformed(where, 'a header that does not have its own sum');
  const ustar = block.toString('latin1', 257, 263) === 'ustar\0';
  if (!ustar && block.toString('latin1', 257, 265) !== 'ustar  \0')
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
  };
}

/** The sum of a header's bytes, its own field taken for spaces. */
function sumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < BLOCK_BYTES; at++) sum += block[at] ?? 0;
  return sum;
}

/** A text of at most so many bytes, which ends at a zero byte where it is shorter. */
function textIn(block: Buffer, start: number, length: number): string {
  if (block[start] === 0) return '';
  const zero = block.indexOf(0, start);
  return block.toString('utf8', start, zero < 0 ? start + length : Math.min(zero, start + length));
}

function numberIn(block: Buffer, start: number, length: number, where: string): number {
  if (((block[start] ?? 0) & 0x80) !== 0) return binaryIn(block.subarray(start, start + length), where);
  const digits = OCTAL.exec(block.toString('latin1', start, start + length))?.[1];
  if (digits === undefined) throw malformed(where, 'a header with a number that is none');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
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
