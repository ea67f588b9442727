import { gzipSync } from 'node:zlib';
import type { Codec } from './codec.ts';
import { nativeCodec } from './native-codec.ts';

const LEVEL = 4;

/** The largest table that zlib has: a block is 0.1 % larger and made 6 % faster than with the default of 8. */
const MEMORY = 9;

/** How much is written before zlib comes back for more: with the default of 16 KiB, 40 times a block. */
const OUTPUT_BYTES = 1024 * 1024;

/** Each leaves one mebibyte, or two where it cannot make a block smaller. */
const DEAD = 8;

const OPTIONS = { level: LEVEL, memLevel: MEMORY, chunkSize: OUTPUT_BYTES };

/** A fifth faster than libdeflate in WebAssembly; its bytes vary with the zlib that Node was built with, and the processor. */
export const zlib: Codec = nativeCodec(`zlib-${LEVEL}.${MEMORY}`, DEAD, (block) => gzipSync(block, OPTIONS));
