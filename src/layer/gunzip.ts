import { type Gunzip, type ZlibOptions, constants, gunzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { PLAIN_HEADER } from './gzip-member.ts';
import { nativeCodec } from './native-codec.ts';

/** The length of what a member was made of stands at its end (RFC 1952 section 2.3.1, ISIZE). */
const LENGTH_BYTES = 4;

/** What one member has made is one piece, and freed at once; of several together, some pieces lie dead until they are looked for. */
const DEAD = 16;

/** Typed by what it is asked for with `info`. */
const inflate: (members: Uint8Array, options: ZlibOptions) => unknown = gunzipSync;

/** Inflates gzip members whose first one has PLAIN_HEADER; knows nothing but whole members that there is room for. */
export const gunzip: Codec = nativeCodec('gunzip', DEAD, (members, room) => {
  const bytes = Buffer.from(members.buffer, members.byteOffset, members.length);
  if (!bytes.subarray(0, PLAIN_HEADER.length).equals(PLAIN_HEADER)) return null;
  try {
    const length = bytes.readUInt32LE(bytes.length - LENGTH_BYTES);
    // One more than needed, since zlib is asked for more as long as there is no room left.
    const chunkSize = Math.max(Math.min(length, room) + 1, constants.Z_MIN_CHUNK);
    const inflated = inflate(bytes, { chunkSize, maxOutputLength: room, info: true });
    return isInflated(inflated) && inflated.engine.bytesWritten === bytes.length ? inflated.buffer : null;
  } catch {
    return null;
  }
});

/** What node:zlib gives with `info`, which its types do not know. */
function isInflated(value: unknown): value is { readonly buffer: Buffer; readonly engine: Gunzip } {
  return typeof value === 'object' && value !== null && 'engine' in value && 'buffer' in value;
}
