import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { OciPloneError } from '../errors.ts';
import type { ArchiveFormat } from './archive-format.ts';
import { zstdDecoder } from './encoder.ts';
import { CHUNK_BYTES } from './tree.ts';
import { zstdFrames } from './zstd-frames.ts';

/**
 * An archive's bytes without their compression: gzip of any number of members (RFC 1952 section 2.2), zstd of any number
 * of frames (RFC 8878 section 3). Throws INPUT_MALFORMED for what follows the last of them, USAGE for zstd on a Node
 * without it; what zlib says of broken data is passed on.
 */
export function decode(
  source: AsyncIterable<Uint8Array>,
  format: ArchiveFormat,
  where: string,
): AsyncIterable<Uint8Array> {
  switch (format) {
    case 'tar':
      return source;
    case 'gzip':
      return gunzip(source, where);
    case 'zstd':
      return zstdFrames(source, { where, decoder: () => zstdDecoder(CHUNK_BYTES, where) });
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Uint8Array> {
  let compressed = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      compressed += piece.length;
      yield piece;
    }
  }
  const decoder = zlib.createGunzip({ chunkSize: CHUNK_BYTES });
  const feeding = pipeline(Readable.from(counted(), { objectMode: false }), decoder);
  feeding.catch(() => undefined);
  yield* decoder as AsyncIterable<Uint8Array>;
  await feeding;
  // node:zlib leaves what follows the last member alone where that begins with a zero byte.
  if (decoder.bytesWritten !== compressed)
    throw new OciPloneError('INPUT_MALFORMED', `${where}: something follows the compressed archive`);
}
