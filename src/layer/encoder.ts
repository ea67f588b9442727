import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { CodecPool } from './codec-pool.ts';
import { assertZstd } from './zstd.ts';

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
  /** Bytes of memory that it wants for what it makes of a block. */
  readonly outputBytes: number;
  /** How many blocks may be under way, so that no processor waits. */
  readonly blocks: number;
  /** Gets ready for many blocks, while something else is waited for. Without it, that begins with the first whole one. */
  start(): void;
  /** When no more blocks come: does one here that is not begun elsewhere. False where there is none. */
  takeBack(): boolean;
  /**
   * A block is in shared memory and stays as it is until a promise is settled. What comes may be the block, or a part of `output`,
   * which nobody else uses until then.
   */
  encode(block: Uint8Array, output: Uint8Array): Promise<Uint8Array> | Uint8Array;
}

export const ENCODERS = ['libdeflate', 'fflate', 'zlib'] as const;
export type EncoderName = (typeof ENCODERS)[number];
export const COMPRESSIONS = ['gzip', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

const MEBIBYTE = 1024 * 1024;

/** Of the natives, zlib is sooner done with a block, and threads wait for each other half as often; zstd looks far back, and makes less of more. */
const MEBIBYTES: Readonly<Record<EncoderName | 'zstd', number>> = { libdeflate: 1, fflate: 1, zlib: 2, zstd: 4 };

/** What can't be made smaller is stored, with a few bytes for each 10,000, a header and a trailer. */
const MORE_BYTES_PER_MEBIBYTE = 4096;

/** A tar as it is. */
export const PLAIN: Encoder = {
  id: 'plain',
  mediaType: MEDIA_TYPES.layer,
  blockBytes: MEBIBYTE,
  outputBytes: 0,
  blocks: 1,
  start: () => undefined,
  takeBack: () => false,
  encode: (block) => block,
};

/** Runs `use` with an encoder, and ends the threads it may have started. Throws USAGE where this Node has no zstd (before 22.15). */
export async function withEncoder<T>(
  compression: Compression,
  name: EncoderName,
  use: (encoder: Encoder) => Promise<T>,
): Promise<T> {
  const { encoder, close } = await openEncoder(compression, name);
  try {
    return await use(encoder);
  } finally {
    await close();
  }
}

/** An encoder, and what ends the threads it may have started. Throws as `withEncoder` does. */
export async function openEncoder(
  compression: Compression,
  name: EncoderName,
): Promise<{ readonly encoder: Encoder; readonly close: () => Promise<void> }> {
  assertEncoder(compression);
  const codec = compression === 'zstd' ? compression : name;
  const { CodecPool } = await import('./codec-pool.ts');
  const pool = await CodecPool.of(codec, codec === 'zstd' || codec === 'zlib' ? 'fast' : 'slow');
  return { encoder: encoderOf(compression, pool, MEBIBYTES[codec]), close: () => pool.close() };
}

/** Throws USAGE where `withEncoder` would: to be asked before long work begins. */
export function assertEncoder(compression: Compression): void {
  if (compression === 'zstd') assertZstd();
}

function encoderOf(compression: Compression, pool: CodecPool, mebibytes: number): Encoder {
  const blockBytes = mebibytes * MEBIBYTE;
  return {
    id: `${compression === 'gzip' ? 'gzip-' : ''}${pool.id}-${mebibytes}MiB`,
    mediaType: compression === 'gzip' ? MEDIA_TYPES.layerGzip : MEDIA_TYPES.layerZstd,
    blockBytes,
    outputBytes: blockBytes + mebibytes * MORE_BYTES_PER_MEBIBYTE,
    blocks: pool.tasks,
    start: () => pool.start(),
    takeBack: () => pool.takeBack(),
    encode(block, output) {
      // What is not even one whole block is encoded here, so that a small layer never pays for the start of a thread.
      const length = block.length < blockBytes ? pool.runHere(block, output) : pool.run(block, output);
      return typeof length === 'number' ? output.subarray(0, length) : length.then((done) => output.subarray(0, done));
    },
  };
}
