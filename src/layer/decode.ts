import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { OciPloneError, systemCode } from '../errors.ts';
import type { ArchiveFormat } from './archive-format.ts';
import { takeMembers } from './gzip-members.ts';
import { zstdDecoder } from './zstd.ts';
import { CHUNK_BYTES } from './tree.ts';
import { decodeFrames } from './zstd-frames.ts';

/** A promise where the next piece is to wait. */
export type Take = (piece: Uint8Array, compressed: number) => Promise<void> | undefined;

export interface DecodeOptions {
  readonly format: ArchiveFormat;
  /** What the archive is called in messages. */
  readonly where: string;
  /** Gets the bytes in order, and how many compressed ones went into them and all before. What it keeps it must copy. */
  readonly take: Take;
}

/**
 * Takes the compression off an archive: gzip of any number of members (RFC 1952 section 2.2), zstd of any number of frames
 * (RFC 8878 section 3). Throws INPUT_MALFORMED for what follows the last of them, USAGE for zstd on a Node without it; what
 * zlib says of broken data is passed on, and what `take` throws. The source may use the memory of a piece again.
 */
export async function decode(source: AsyncIterable<Uint8Array>, options: DecodeOptions): Promise<void> {
  const { format, where, take } = options;
  if (format === 'gzip') return gunzip(source[Symbol.asyncIterator](), options);
  let compressed = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      compressed += piece.length;
      yield format === 'tar' ? piece : Uint8Array.from(piece);
    }
  }
  const takeCounted = (piece: Uint8Array): Promise<void> | undefined => take(piece, compressed);
  if (format === 'tar') for await (const piece of counted()) await takeCounted(piece);
  else await decodeFrames(counted(), { where, decoder: () => zstdDecoder(CHUNK_BYTES, where), take: takeCounted });
}

/** As fast as with twice as much, which leaves more garbage than V8 sees coming. */
const OUTPUT_BYTES = CHUNK_BYTES / 2;

/** Pieces that are inflated while one is taken. */
const AHEAD = 3;

async function gunzip(source: AsyncIterator<Uint8Array>, { where, take }: DecodeOptions): Promise<void> {
  const left = await takeMembers(source, take);
  if (left === null) return;
  let compressed = left.compressed;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of withHead(left?.head ?? [], source)) {
      compressed += piece.length;
      yield Uint8Array.from(piece);
    }
  }
  const options = { chunkSize: OUTPUT_BYTES, readableHighWaterMark: AHEAD * OUTPUT_BYTES };
  const decoder = zlib.createGunzip(options);
  const follows = new OciPloneError('INPUT_MALFORMED', `${where}: something follows the compressed archive`);
  try {
    await pipeline(counted(), decoder, async (plain: AsyncIterable<Uint8Array>) => {
      for await (const piece of plain) await take(piece, left.compressed + decoder.bytesWritten);
    });
  } catch (error) {
    throw AT_END.has(systemCode(error)) ? follows : error;
  }
  // node:zlib leaves what follows the last member alone where that begins with a zero byte.
  if (left.compressed + decoder.bytesWritten !== compressed) throw follows;
}

/** What a stream says that is at its end while it is given more: that of Node 20, and that of Node 24. */
const AT_END: ReadonlySet<string> = new Set(['ABORT_ERR', 'ERR_STREAM_PUSH_AFTER_EOF']);

/** The pieces of a source whose first ones were read already. */
export async function* withHead(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* { [Symbol.asyncIterator]: () => rest };
}
