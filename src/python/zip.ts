import { Inflate } from 'fflate';
import { OciPloneError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

/** A file of a zip, as the directory at the zip's end describes it. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly compressed: number;
  readonly size: number;
  readonly offset: number;
}

const END = 0x06054b50;
const END_64_LOCATOR = 0x07064b50;
const END_64 = 0x06064b50;
const DIRECTORY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
const END_64_LENGTH = 56;
const LOCATOR_LENGTH = 20;
/** How far from the end its record may stand: a comment is up to 65,535 bytes long. */
const FARTHEST_END = END_LENGTH + 0xffff;
/** In most wheels the directory and, written last, METADATA lie in so many bytes. */
const TAIL = 24 * 1024;
const LARGEST_DIRECTORY = 32 * 1024 * 1024;

/**
 * The entries of a zip. Every name is checked: one that is absolute or climbs by `..` makes the whole zip refused.
 *
 * @throws INPUT_MALFORMED for what is no zip, INPUT_REFUSED for an unsafe name
 */
export async function readZipDirectory(source: ByteSource): Promise<readonly ZipEntry[]> {
  const { offset, length } = await findDirectory(source);
  if (length > LARGEST_DIRECTORY || offset + length > source.size)
    throw notZip(source, 'its directory is out of bounds');
  const bytes = view(await source.read(offset, offset + length));
  const entries: ZipEntry[] = [];
  let at = 0;
  while (at + 46 <= bytes.length && bytes.readUInt32LE(at) === DIRECTORY) {
    const nameLength = bytes.readUInt16LE(at + 28);
    const extraLength = bytes.readUInt16LE(at + 30);
    const next = at + 46 + nameLength + extraLength + bytes.readUInt16LE(at + 32);
    if (next > bytes.length) break;
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    assertSafe(name, source.name);
    const extra = bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength);
    const wide = readWide(extra, [
      bytes.readUInt32LE(at + 24),
      bytes.readUInt32LE(at + 20),
      bytes.readUInt32LE(at + 42),
    ]);
    const [size = 0, compressed = 0, start = 0] = wide;
    entries.push({ name, method: bytes.readUInt16LE(at + 10), compressed, size, offset: start });
    at = next;
  }
  if (at !== bytes.length) throw notZip(source, 'its directory cannot be read');
  return entries;
}

/**
 * The bytes of one entry.
 *
 * @param limit - how many bytes it may have: a zip may claim little and inflate to a lot
 * @throws INPUT_MALFORMED
 */
export async function readZipEntry(source: ByteSource, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  const tooLarge = new OciPloneError('INPUT_REFUSED', `${entry.name} in ${source.name} is larger than ${limit} bytes`);
  if (entry.size > limit || entry.compressed > limit) throw tooLarge;
  // The local header repeats the name and has extra fields of its own: mostly under 512 bytes, read along with the data.
  const guess = Math.min(source.size, entry.offset + 30 + entry.name.length + 512 + entry.compressed);
  let bytes = view(await source.read(entry.offset, guess));
  if (bytes.length < 30 || bytes.readUInt32LE(0) !== LOCAL)
    throw notZip(source, `${entry.name} is not where it should be`);
  const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
  const end = start + entry.compressed;
  if (entry.offset + end > source.size) throw notZip(source, `${entry.name} ends behind its end`);
  if (end > bytes.length) bytes = view(await source.read(entry.offset, entry.offset + end));
  const data = bytes.subarray(start, end);
  if (entry.method === 0) return data;
  if (entry.method !== 8) throw notZip(source, `${entry.name} is compressed by an unknown method (${entry.method})`);
  const inflated = inflate(data, limit);
  if (inflated === 'too large') throw tooLarge;
  if (inflated === 'broken' || inflated.length !== entry.size) throw notZip(source, `${entry.name} cannot be inflated`);
  return inflated;
}

/** In small steps, so that no more than the limit and one step is ever held. */
function inflate(data: Uint8Array, limit: number): Uint8Array | 'too large' | 'broken' {
  const parts: Uint8Array[] = [];
  let size = 0;
  const stream = new Inflate((part) => {
    parts.push(part);
    size += part.length;
  });
  try {
    for (let at = 0; at < data.length; at += 4096) {
      stream.push(data.subarray(at, at + 4096), at + 4096 >= data.length);
      if (size > limit) return 'too large';
    }
  } catch {
    return 'broken';
  }
  return Buffer.concat(parts);
}

async function findDirectory(source: ByteSource): Promise<{ readonly offset: number; readonly length: number }> {
  for (const length of [TAIL, FARTHEST_END + LOCATOR_LENGTH]) {
    const start = Math.max(0, source.size - length);
    const tail = view(await source.read(start, source.size));
    const at = findEnd(tail);
    if (at === null) continue;
    const locator = at - LOCATOR_LENGTH;
    if (locator >= 0 && tail.readUInt32LE(locator) === END_64_LOCATOR)
      return wideDirectory(source, Number(tail.readBigUInt64LE(locator + 8)));
    return { offset: tail.readUInt32LE(at + 16), length: tail.readUInt32LE(at + 12) };
  }
  throw notZip(source, 'it has no directory at its end');
}

function findEnd(tail: Buffer): number | null {
  for (let at = tail.length - END_LENGTH; at >= 0; at -= 1)
    if (tail.readUInt32LE(at) === END && at + END_LENGTH + tail.readUInt16LE(at + 20) === tail.length) return at;
  return null;
}

async function wideDirectory(source: ByteSource, at: number): Promise<{ offset: number; length: number }> {
  if (at + END_64_LENGTH > source.size) throw notZip(source, 'its directory is out of bounds');
  const record = view(await source.read(at, at + END_64_LENGTH));
  if (record.readUInt32LE(0) !== END_64) throw notZip(source, 'its directory cannot be found');
  return { offset: Number(record.readBigUInt64LE(48)), length: Number(record.readBigUInt64LE(40)) };
}

/** Numbers of 64 bits stand in an extra field, in this order, for those that are all ones. */
function readWide(extra: Buffer, numbers: readonly number[]): readonly number[] {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let next = at + 4;
    return numbers.map((number) => {
      if (number !== 0xffffffff || next + 8 > extra.length) return number;
      next += 8;
      return Number(extra.readBigUInt64LE(next - 8));
    });
  }
  return numbers;
}

function assertSafe(name: string, zip: string): void {
  const parts = name.split(/[/\\]/);
  if (name.includes('\0') || /^[/\\]|^[a-z]:/i.test(name) || parts.includes('..'))
    throw new OciPloneError('INPUT_REFUSED', `${zip} holds a file with an unsafe name, ${JSON.stringify(name)}`, {
      hint: 'Do not use this file: unpacking it would write outside its own folder.',
    });
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function notZip(source: ByteSource, why: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${source.name} is not a zip as it should be: ${why}`, {
    hint: 'Take another file of it: pin another version in [versions], or put a good wheel into a find-links folder.',
  });
}
