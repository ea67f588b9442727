import { availableParallelism } from 'node:os';
import type { Duplex } from 'node:stream';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { OciPloneError } from '../errors.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { BLOCK_BYTES, MAX_MEMBER_BYTES, type PortableDeflater, memberId, writeMember } from './gzip-member.ts';
import { GzipPool } from './gzip-pool.ts';

/**
 * Turns a tar into a blob, a block at a time. Blocks are encoded independently of each other (gzip members, zstd frames;
 * RFC 1952 section 2.2, RFC 8878 section 3), so that they can be shared among processors without changing a byte.
 */
export interface Encoder {
  /** Names everything about it that shapes bytes; part of the recipe's id. */
  readonly id: string;
  readonly mediaType: string;
  /** Bytes of the tar in a block; the last one may be shorter. */
  readonly blockBytes: number;
  /** Bytes of shared memory that it wants for what it makes of a block; 0 where it brings its own. */
  readonly outputBytes: number;
  /** How many blocks keep other threads busy. */
  readonly blocks: number;
  /** How many more `encodeHere` may do while those are under way, so that no processor waits for them. */
  readonly ahead: number;
  /**
   * A block is in shared memory and stays as it is until the promise is settled. What comes may be a part of the block, or of
   * `output`, which nobody else uses until then.
   */
  encode(block: Uint8Array, output: Uint8Array): Promise<Uint8Array>;
  /** The same bytes, by this thread. */
  encodeHere(block: Uint8Array, output: Uint8Array): Uint8Array;
  /** Ends the threads it may have started. */
  close(): Promise<void>;
}

export const ENCODERS = ['libdeflate', 'fflate', 'zlib'] as const;
export type EncoderName = (typeof ENCODERS)[number];
export const COMPRESSIONS = ['gzip', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

const MEBIBYTE = 1024 * 1024;

const gzip = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip);

/** Enough for every thread of node's pool, which has four, where there is a processor for it; each block is memory. */
const POOL_BLOCKS = Math.min(4, availableParallelism() + 1);

/** Integer arithmetic, the same on every processor and Node version. */
function portableGzip(deflater: PortableDeflater): Encoder {
  const pool = new GzipPool(deflater);
  return {
    id: memberId(deflater),
    mediaType: MEDIA_TYPES.layerGzip,
    blockBytes: BLOCK_BYTES,
    outputBytes: MAX_MEMBER_BYTES,
    blocks: GzipPool.blocks,
    ahead: 2,
    encode: (block, output) => pool.encode(block, output),
    encodeHere: (block, output) => output.subarray(0, writeMember(block, output, deflater)),
    close: () => pool.close(),
  };
}

const ZLIB_LEVEL = 4;

/** The largest table that zlib has: a block is 0.1 % larger and made 6 % faster than with the default of 8. */
const ZLIB_MEMORY = 9;

/** How much zlib's threads write before they come back for more: with the default of 16 KiB, 40 times a block. */
const OUTPUT_BYTES = MEBIBYTE;

/** Twice what the portable ones get: a thread that is done sooner waits for this one more often. */
const ZLIB_BLOCK_BYTES = 2 * MEBIBYTE;

const ZLIB_OPTIONS = { level: ZLIB_LEVEL, memLevel: ZLIB_MEMORY, chunkSize: OUTPUT_BYTES };

/** A tenth faster, on zlib's own threads; its bytes vary with the zlib that Node was built with, and the processor. */
const nativeGzip: Encoder = {
  id: `gzip-zlib-${ZLIB_LEVEL}.${ZLIB_MEMORY}-2MiB`,
  mediaType: MEDIA_TYPES.layerGzip,
  blockBytes: ZLIB_BLOCK_BYTES,
  outputBytes: 0,
  blocks: POOL_BLOCKS,
  ahead: 0,
  encode: (block) => gzip(block, ZLIB_OPTIONS),
  encodeHere: (block) => zlib.gzipSync(block, ZLIB_OPTIONS),
  close: nothingToClose,
};

/** A tar as it is. */
export const PLAIN: Encoder = {
  id: 'plain',
  mediaType: MEDIA_TYPES.layer,
  blockBytes: MEBIBYTE,
  outputBytes: 0,
  blocks: 0,
  ahead: 1,
  encode: (block) => Promise.resolve(block),
  encodeHere: (block) => block,
  close: nothingToClose,
};

/** Runs `use` with an encoder. Throws USAGE where this Node has no zstd (before 22.15). */
export async function withEncoder<T>(
  compression: Compression,
  name: EncoderName,
  use: (encoder: Encoder) => Promise<T>,
): Promise<T> {
  const encoder = chooseEncoder(compression, name);
  try {
    return await use(encoder);
  } finally {
    await encoder.close();
  }
}

/** Throws USAGE where `withEncoder` would: to be asked before long work begins. */
export function assertEncoder(compression: Compression): void {
  if (compression === 'zstd') zstd();
}

function chooseEncoder(compression: Compression, name: EncoderName): Encoder {
  if (compression === 'zstd') return zstd();
  return name === 'zlib' ? nativeGzip : portableGzip(name);
}

function nothingToClose(): Promise<void> {
  return Promise.resolve();
}

const ZSTD_LEVEL = 3;

interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>;
  readonly chunkSize: number;
}

/** Node's zstd functions, which @types/node of Node 20 does not know. */
interface ZstdFunctions {
  readonly zstdCompress?: (
    block: Uint8Array,
    options: ZstdOptions,
    done: (error: Error | null, result: Uint8Array) => void,
  ) => void;
  readonly zstdCompressSync?: (block: Uint8Array, options: ZstdOptions) => Uint8Array;
  readonly createZstdDecompress?: (options: { readonly chunkSize: number }) => Duplex;
}

const none: ZstdFunctions = {};
const zstdFunctions: ZstdFunctions = Object.assign(none, zlib);

/** ZSTD_c_compressionLevel of zstd.h. */
const ZSTD_COMPRESSION_LEVEL = 100;

function zstd(): Encoder {
  const { zstdCompress, zstdCompressSync } = zstdFunctions;
  if (zstdCompress === undefined || zstdCompressSync === undefined) throw zstdMissing('--compression=zstd');
  const options = { params: { [ZSTD_COMPRESSION_LEVEL]: ZSTD_LEVEL }, chunkSize: 2 * OUTPUT_BYTES };
  return {
    id: `zstd-${ZSTD_LEVEL}-4MiB`,
    mediaType: MEDIA_TYPES.layerZstd,
    blockBytes: 4 * MEBIBYTE,
    outputBytes: 0,
    blocks: POOL_BLOCKS,
    ahead: 0,
    encode: (block) =>
      new Promise((resolve, reject) =>
        zstdCompress(block, options, (error, result) => (error ? reject(error) : resolve(result))),
      ),
    encodeHere: (block) => zstdCompressSync(block, options),
    close: nothingToClose,
  };
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
