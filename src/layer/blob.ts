import type { Digest } from '../oci/digest.ts';
import type { Encoder } from './encoder.ts';
import { type BulkHash, bulkHash } from './hash.ts';

export interface PackedBlob {
  readonly digest: Digest;
  /** Bytes as stored. */
  readonly size: number;
  /** The digest of the tar before it was encoded. */
  readonly diffId: Digest;
}

/** Takes a blob's encoded bytes, in order. */
export type BlobSink = (piece: Uint8Array) => Promise<void>;

/** Blocks that may be under way at once: enough for every thread of zlib's pool, and bounded memory. */
const MAX_IN_FLIGHT = 4;

/**
 * Cuts a tar into blocks, has them encoded several at a time, and writes them in order. Memory: MAX_IN_FLIGHT blocks and
 * their encodings, whatever the size of the tar.
 */
export class BlobWriter {
  readonly #encoder: Encoder;
  readonly #sink: BlobSink;
  readonly #diffHash: BulkHash = bulkHash();
  readonly #blobHash: BulkHash = bulkHash();
  #block: Uint8Array;
  #filled = 0;
  #size = 0;
  #inFlight: Promise<void>[] = [];
  #free: Uint8Array[] = [];
  #last: Promise<void> = Promise.resolve();

  constructor(encoder: Encoder, sink: BlobSink) {
    this.#encoder = encoder;
    this.#sink = sink;
    this.#block = sharedBytes(encoder.blockBytes);
  }

  /** Copies what it keeps. */
  write(piece: Uint8Array): void {
    for (let done = 0; done < piece.length;) {
      const part = piece.subarray(done, done + this.#block.length - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === this.#block.length) this.#flush();
    }
  }

  /** A promise while too many blocks are under way; it rejects where encoding or writing failed. */
  ready(): Promise<void> | undefined {
    return this.#inFlight.length < MAX_IN_FLIGHT ? undefined : this.#inFlight[0];
  }

  async finish(): Promise<PackedBlob> {
    if (this.#filled > 0) this.#flush();
    await this.#last;
    return { digest: this.#blobHash.digest(), size: this.#size, diffId: this.#diffHash.digest() };
  }

  #flush(): void {
    const whole = this.#block;
    const block = whole.subarray(0, this.#filled);
    this.#diffHash.update(block);
    this.#block = this.#free.pop() ?? sharedBytes(this.#encoder.blockBytes);
    this.#filled = 0;

    const encoded = this.#encoder.encode(block);
    encoded.catch(() => undefined);
    const previous = this.#last;
    const written = (async () => {
      await previous;
      const bytes = await encoded;
      this.#blobHash.update(bytes);
      this.#size += bytes.length;
      await this.#sink(bytes);
      this.#free.push(whole);
      void this.#inFlight.shift();
    })();
    written.catch(() => undefined);
    this.#last = written;
    this.#inFlight.push(written);
  }
}

/** Memory that threads read without a copy. */
function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}
