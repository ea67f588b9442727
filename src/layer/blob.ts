import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../oci/digest.ts';
import type { Encoder } from './encoder.ts';
import { type BulkHash, bulkHash } from './hash.ts';
import type { TarSink } from './tar.ts';

export interface PackedBlob {
  readonly digest: Digest;
  /** Bytes as stored. */
  readonly size: number;
  /** The digest of the tar before it was encoded. */
  readonly diffId: Digest;
}

/** Takes a blob's encoded bytes, in order. */
export type BlobSink = (piece: Uint8Array) => Promise<void>;

/** Memory for a block, and for what becomes of it. */
interface Room {
  readonly block: Uint8Array;
  readonly output: Uint8Array;
}

/**
 * Cuts a tar into blocks, has them encoded several at a time, and writes them in order. Memory: as many blocks as the encoder
 * wants under way, and their encodings, whatever the size of the tar.
 */
export class BlobWriter implements TarSink {
  readonly #encoder: Encoder;
  readonly #sink: BlobSink;
  readonly #onBytes: ((bytes: number) => void) | undefined;
  readonly #diffHash: BulkHash = bulkHash();
  readonly #blobHash: BulkHash = bulkHash();
  #room: Room;
  #filled = 0;
  #size = 0;
  /** That others are done with a block, or that one is written, is heard of in a turn of the event loop, and is worth one after each. */
  #isDue = false;
  /** Blocks that are not written yet, oldest first. */
  #inFlight: Promise<void>[] = [];
  #free: Room[] = [];
  #last: Promise<void> = Promise.resolve();

  /** @param onBytes - hears of each block's bytes before they are encoded */
  constructor(encoder: Encoder, sink: BlobSink, onBytes?: (bytes: number) => void) {
    this.#encoder = encoder;
    this.#sink = sink;
    this.#onBytes = onBytes;
    this.#room = roomFor(encoder);
  }

  /** Where the next bytes will stand: what was put there before it is written is not copied. */
  readonly room = (): Uint8Array => this.#room.block.subarray(this.#filled);

  /** Copies what it keeps, and is not there yet. */
  write(piece: Uint8Array): void {
    if (this.#isThere(piece)) {
      this.#filled += piece.length;
      if (this.#filled === this.#room.block.length) this.#flush();
      return;
    }
    for (let done = 0; done < piece.length;) {
      const { block } = this.#room;
      const part = piece.subarray(done, done + block.length - this.#filled);
      block.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === block.length) this.#flush();
    }
  }

  #isThere({ buffer, byteOffset }: Uint8Array): boolean {
    const { block } = this.#room;
    return buffer === block.buffer && byteOffset === block.byteOffset + this.#filled;
  }

  /** A promise while too many blocks are under way; it rejects where encoding or writing failed. */
  ready(): Promise<void> | undefined {
    if (this.#inFlight.length >= this.#encoder.blocks) return this.#inFlight[0];
    if (!this.#isDue) return undefined;
    this.#isDue = false;
    return setImmediate();
  }

  async finish(): Promise<PackedBlob> {
    if (this.#filled > 0) this.#flush();
    // Each in a turn of the event loop: what is done is hashed and written meanwhile.
    while (this.#encoder.takeBack()) await setImmediate();
    await this.#last;
    return { digest: this.#blobHash.digest(), size: this.#size, diffId: this.#diffHash.digest() };
  }

  #flush(): void {
    const room = this.#room;
    const block = room.block.subarray(0, this.#filled);
    const encoded = this.#encoder.encode(block, room.output);
    if (encoded instanceof Promise) encoded.catch(() => undefined);
    // While threads work on it: all that it takes is that the block stays as it is.
    this.#diffHash.update(block);
    this.#onBytes?.(this.#filled);
    this.#room = this.#free.pop() ?? roomFor(this.#encoder);
    this.#filled = 0;
    this.#isDue = true;

    const previous = this.#last;
    const written = (async () => {
      await previous;
      const bytes = await encoded;
      this.#blobHash.update(bytes);
      this.#size += bytes.length;
      await this.#sink(bytes);
      this.#free.push(room);
      void this.#inFlight.shift();
    })();
    written.catch(() => undefined);
    this.#last = written;
    this.#inFlight.push(written);
  }
}

/** Memory that threads use without a copy. */
function roomFor({ blockBytes, outputBytes }: Encoder): Room {
  const bytes = new SharedArrayBuffer(blockBytes + outputBytes);
  return { block: new Uint8Array(bytes, 0, blockBytes), output: new Uint8Array(bytes, blockBytes) };
}
