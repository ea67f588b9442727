import { type Gunzip, type ZlibOptions, gunzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { PLAIN_HEADER } from './gzip-member.ts';
import { nativeCodec } from './native-codec.ts';

/** What is inflated at once: of less there is too much to put together, and more leaves holes in a thread's memory, 60 MB of them on Node 24. */
const INFLATED_BYTES = 128 * 1024;

/** Each leaves one and a half mebibytes, half of them in pieces. */
const DEAD = 16;

/** Typed by what it is asked for with `info`. */
const inflate: (members: Uint8Array, options: ZlibOptions) => unknown = gunzipSync;

/** Inflates gzip members whose first one has PLAIN_HEADER; knows nothing but whole members that there is room for. */
export const gunzip: Codec = nativeCodec('gunzip', DEAD, (members, room) => {
  const bytes = Buffer.from(members.buffer, members.byteOffset, members.length);
  if (!bytes.subarray(0, PLAIN_HEADER.length).equals(PLAIN_HEADER)) return null;
  try {
    const inflated = inflate(bytes, { chunkSize: INFLATED_BYTES, maxOutputLength: room, info: true });
    return isInflated(inflated) && inflated.engine.bytesWritten === bytes.length ? inflated.buffer : null;
  } catch {
    return null;
  }
});

/** What node:zlib gives with `info`, which its types do not know. */
function isInflated(value: unknown): value is { readonly buffer: Buffer; readonly engine: Gunzip } {
  return typeof value === 'object' && value !== null && 'engine' in value && 'buffer' in value;
}
