import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { OciPloneError } from '../errors.ts';
import type { ArchiveFormat } from './archive-format.ts';
import { zstdDecoder } from './encoder.ts';
import { CHUNK_BYTES } from './tree.ts';
import { decodeFrames } from './zstd-frames.ts';

export interface DecodeOptions {
  readonly format: ArchiveFormat;
  /** What the archive is called in messages. */
  readonly where: string;
  /** Gets the bytes in order. What it keeps it must copy. */
  readonly take: (piece: Uint8Array) => void;
}

/**
 * Takes the compression off an archive: gzip of any number of members (RFC 1952 section 2.2), zstd of any number of frames
 * (RFC 8878 section 3). Throws INPUT_MALFORMED for what follows the last of them, USAGE for zstd on a Node without it; what
 * zlib says of broken data is passed on, and what `take` throws.
 */
export async function decode(source: AsyncIterable<Uint8Array>, options: DecodeOptions): Promise<void> {
  const { format, where, take } = options;
  switch (format) {
    case 'tar':
      for await (const piece of source) take(piece);
      return;
    case 'gzip':
      return gunzip(source, options);
    case 'zstd':
      return decodeFrames(source, { where, decoder: () => zstdDecoder(CHUNK_BYTES, where), take });
  }
}

/** As fast as with twice as much, which leaves more garbage than V8 sees coming. */
const OUTPUT_BYTES = CHUNK_BYTES / 2;

async function gunzip(source: AsyncIterable<Uint8Array>, { where, take }: DecodeOptions): Promise<void> {
  let compressed = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      compressed += piece.length;
      yield piece;
    }
  }
  const decoder = zlib.createGunzip({ chunkSize: OUTPUT_BYTES });
  await pipeline(counted(), decoder, async (plain: AsyncIterable<Uint8Array>) => {
    for await (const piece of plain) take(piece);
  });
  // node:zlib leaves what follows the last member alone where that begins with a zero byte.
  if (decoder.bytesWritten !== compressed)
    throw new OciPloneError('INPUT_MALFORMED', `${where}: something follows the compressed archive`);
}
