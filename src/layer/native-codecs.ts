import type { Duplex } from 'node:stream';
import zlib from 'node:zlib';
import { OciPloneError } from '../errors.ts';
import { type Codec, NOT_THIS } from './codec.ts';
import { freeingEvery } from './dead-buffers.ts';
import { PLAIN_HEADER } from './gzip-member.ts';

const MEBIBYTE = 1024 * 1024;

/** Calls whose buffers, some two mebibytes each, may lie dead in memory. */
const DEAD = 8;

const ZLIB_LEVEL = 4;

/** The largest table that zlib has: a block is 0.1 % larger and made 6 % faster than with the default of 8. */
const ZLIB_MEMORY = 9;

/** How much is written before zlib comes back for more: with the default of 16 KiB, 40 times a block. */
const ZLIB_OPTIONS = { level: ZLIB_LEVEL, memLevel: ZLIB_MEMORY, chunkSize: MEBIBYTE };

/** A fifth faster than libdeflate in WebAssembly; its bytes vary with the zlib that Node was built with, and the processor. */
export const zlibGzip: Codec = {
  id: `zlib-${ZLIB_LEVEL}.${ZLIB_MEMORY}`,
  run: freeingEvery(DEAD, (block: Uint8Array, member: Uint8Array) =>
    copied(zlib.gzipSync(block, ZLIB_OPTIONS), member),
  ),
};

interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>;
  readonly chunkSize: number;
}

/** Node's zstd functions, which @types/node of Node 20 does not know. */
interface ZstdFunctions {
  readonly zstdCompressSync?: (block: Uint8Array, options: ZstdOptions) => Uint8Array;
  readonly createZstdDecompress?: (options: { readonly chunkSize: number }) => Duplex;
}

const none: ZstdFunctions = {};
const zstdFunctions: ZstdFunctions = Object.assign(none, zlib);

const ZSTD_LEVEL = 3;

/** Half of what the level has: they fit into a processor's own memory, which is a twelfth faster for 1.5 % more bytes. */
const [ZSTD_HASH_LOG, ZSTD_CHAIN_LOG] = [16, 15];

/** By the numbers of ZSTD_c_compressionLevel, ZSTD_c_hashLog and ZSTD_c_chainLog of zstd.h, which @types/node of Node 20 does not know. */
const ZSTD_PARAMETERS = { 100: ZSTD_LEVEL, 102: ZSTD_HASH_LOG, 103: ZSTD_CHAIN_LOG };

/** zstd reads and writes in place where all that could come of a block has room, and copies it otherwise (ZSTD_COMPRESSBOUND of zstd.h). */
const zstdBound = (bytes: number): number => bytes + (bytes >> 8) + 1024;

export const zstd: Codec = {
  id: `zstd-${ZSTD_LEVEL}.${ZSTD_HASH_LOG}.${ZSTD_CHAIN_LOG}`,
  run: freeingEvery(DEAD, (block: Uint8Array, frame: Uint8Array) => {
    const { zstdCompressSync } = zstdFunctions;
    if (zstdCompressSync === undefined) throw zstdMissing('--compression=zstd');
    const options = { params: ZSTD_PARAMETERS, chunkSize: zstdBound(block.length) };
    return copied(zstdCompressSync(block, options), frame);
  }),
};

/** Throws USAGE where this Node has no zstd (before 22.15). */
export function assertZstd(): void {
  if (zstdFunctions.zstdCompressSync === undefined) throw zstdMissing('--compression=zstd');
}

/** A stream that decodes zstd. Throws USAGE where this Node has none. */
export function zstdDecoder(chunkSize: number, what: string): Duplex {
  const { createZstdDecompress } = zstdFunctions;
  if (createZstdDecompress === undefined) throw zstdMissing(what);
  return createZstdDecompress({ chunkSize });
}

function zstdMissing(what: string): OciPloneError {
  return new OciPloneError('USAGE', `${what}: Node ${process.versions.node} has no zstd`, {
    hint: 'Use Node 22.15 or later, or gzip.',
  });
}

/** What is inflated at once: of less there is too much to put together, and more leaves 60 MB of holes in a thread's memory. */
const INFLATED_BYTES = 64 * 1024;

/** Typed by what it is asked for with `info`. */
const gunzipSync: (members: Uint8Array, options: zlib.ZlibOptions) => unknown = zlib.gunzipSync;

/** Inflates gzip members whose first one has PLAIN_HEADER; anything but whole members, or more than there is room for, is NOT_THIS. */
export const gunzip: Codec = {
  id: 'gunzip',
  run: freeingEvery(DEAD, (members: Uint8Array, plain: Uint8Array) => {
    const bytes = Buffer.from(members.buffer, members.byteOffset, members.length);
    if (!bytes.subarray(0, PLAIN_HEADER.length).equals(PLAIN_HEADER)) return NOT_THIS;
    try {
      const inflated = gunzipSync(bytes, { chunkSize: INFLATED_BYTES, maxOutputLength: plain.length, info: true });
      return isInflated(inflated) && inflated.engine.bytesWritten === bytes.length
        ? copied(inflated.buffer, plain)
        : NOT_THIS;
    } catch {
      return NOT_THIS;
    }
  }),
};

/** What node:zlib gives with `info`, which its types do not know. */
function isInflated(value: unknown): value is { readonly buffer: Buffer; readonly engine: zlib.Gunzip } {
  return typeof value === 'object' && value !== null && 'engine' in value && 'buffer' in value;
}

function copied(from: Uint8Array, to: Uint8Array): number {
  to.set(from);
  return from.length;
}
