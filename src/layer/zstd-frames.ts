import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { OciPloneError } from '../errors.ts';

/** The first four bytes of a frame of data, read as a number (RFC 8878 section 3.1.1). */
const MAGIC = 0xfd2fb528;

/** Those of a frame to be passed over: sixteen magics, one of which pzstd uses (section 3.1.2). */
const SKIPPABLE = 0x184d2a50;

/** The bytes of a frame's content size by its flag, and of its dictionary's id by its flag (section 3.1.1.1). */
const CONTENT_SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;

const RLE_BLOCK = 1;

/** A decoder is given this much at once, since each time costs a turn of a thread. */
const BATCH_BYTES = 256 * 1024;

export interface DecodeFramesOptions {
  /** What the archive is called in messages. */
  readonly where: string;
  /** A new decoder, for one frame. */
  readonly decoder: () => Duplex;
  /** A promise where the next piece is to wait. */
  readonly take: (piece: Uint8Array) => Promise<void> | undefined;
}

/**
 * Decodes zstd of any number of frames. Where a frame ends is found here, by its blocks' sizes, and each gets a decoder of
 * its own: those of Node end at the first frame, and leave what follows alone. Throws INPUT_MALFORMED for whatever stands
 * between frames and for one that is cut off.
 */
export async function decodeFrames(
  source: AsyncIterable<Uint8Array>,
  { where, decoder, take }: DecodeFramesOptions,
): Promise<void> {
  const input = new Bytes(source, where);
  while (!(await input.atEnd())) {
    const head = await input.take(4);
    const magic = head.readUInt32LE();
    if ((magic & ~0xf) >>> 0 === SKIPPABLE) await input.pass((await input.take(4)).readUInt32LE());
    else if (magic === MAGIC)
      await pipeline(batched(frame(head, input)), decoder(), async (plain: AsyncIterable<Uint8Array>) => {
        for await (const piece of plain) await take(piece);
      });
    else throw new OciPloneError('INPUT_MALFORMED', `${where}: something follows the compressed archive`);
  }
}

/** One frame's bytes, up to where it ends (sections 3.1.1.1 and 3.1.1.2). */
async function* frame(magic: Buffer, input: Bytes): AsyncGenerator<Uint8Array> {
  yield magic;
  const descriptor = await input.take(1);
  yield descriptor;
  const flags = descriptor.readUInt8();
  const oneSegment = (flags & 0x20) !== 0;
  const sizeBytes = flags >> 6 === 0 && oneSegment ? 1 : (CONTENT_SIZE_BYTES[flags >> 6] ?? 0);
  yield* input.next((oneSegment ? 0 : 1) + (DICTIONARY_ID_BYTES[flags & 3] ?? 0) + sizeBytes);
  for (let last = false; !last;) {
    const header = await input.take(3);
    yield header;
    const word = header.readUIntLE(0, 3);
    last = (word & 1) !== 0;
    yield* input.next(((word >> 1) & 3) === RLE_BLOCK ? 1 : word >> 3);
  }
  if ((flags & 0x04) !== 0) yield* input.next(4);
}

async function* batched(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    batch.push(piece);
    length += piece.length;
    if (length < BATCH_BYTES) continue;
    yield Buffer.concat(batch);
    batch = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(batch);
}

/** A source read by counted bytes. Throws INPUT_MALFORMED where there are fewer. */
class Bytes {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #where: string;
  #piece: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>, where: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#where = where;
  }

  async atEnd(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const { value, done } = await this.#source.next();
      if (done === true) return true;
      this.#piece = Buffer.from(value.buffer, value.byteOffset, value.length);
    }
    return false;
  }

  /** A few bytes, in one piece. */
  async take(length: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.next(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  /** So many bytes, in the pieces they come in. */
  async *next(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      if (await this.atEnd()) throw new OciPloneError('INPUT_MALFORMED', `${this.#where}: the archive is cut off`);
      const part = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async pass(length: number): Promise<void> {
    for await (const part of this.next(length)) void part;
  }
}
