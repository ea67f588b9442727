import { promisify } from 'node:util';
import zlib from 'node:zlib';

/** A header without time and name, as this program writes it, and whoever wants the same bytes twice (RFC 1952 section 2.3). */
const HEADER = Buffer.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

/** A member of two mebibytes, even where it does not compress, is smaller; what is larger is not looked at as a member. */
const MAX_COMPRESSED_BYTES = 2304 * 1024;

/** Members are inflated together up to this size: an archive may be nothing but empty ones, and each call costs as much as some kilobytes. */
const MIN_COMPRESSED_BYTES = 2048;

/** What so few compressed bytes and a member after them make at most, where the members are ours: two mebibytes each. */
const MAX_PLAIN_BYTES = 4 * 1024 * 1024;

/** The least that zlib writes to at once. */
const MIN_BUFFER_BYTES = 64 * 1024;

/** Enough for each thread that inflates, and one that is being taken. */
const AHEAD = 3;

/** What was left of the archive: bytes that were read already, and how many went before them. */
export interface LeftOver {
  readonly head: readonly Uint8Array[];
  readonly compressed: number;
}

/**
 * Inflates the members at the beginning of a gzip archive, several at a time, as long as they are as short as ours. A header
 * may also stand in a member by chance. So what lies between two of them only counts where it inflates, to its last byte and with
 * the right checksum; then it does so for whoever reads the archive from its beginning, too.
 *
 * @param take - gets what was inflated, in order, and how many compressed bytes there were up to its end
 * @returns what begins with the first byte that did not; null where that was the end
 */
export async function takeMembers(
  source: AsyncIterator<Uint8Array>,
  take: (plain: Uint8Array, compressed: number) => void,
): Promise<LeftOver | null> {
  const chunks = new Chunks(source);
  const queue: { readonly chunk: Buffer; readonly plain: Promise<Buffer | null> }[] = [];
  let compressed = 0;
  for (;;) {
    const chunk = queue.length <= AHEAD ? await chunks.next() : null;
    if (chunk !== null) {
      queue.push({ chunk, plain: inflate(chunk) });
      continue;
    }
    const [first] = queue;
    if (first === undefined) return chunks.rest.length === 0 ? null : { head: [chunks.rest], compressed };
    const plain = await first.plain;
    if (plain === null) return { head: [...queue.map((one) => one.chunk), chunks.rest], compressed };
    queue.shift();
    take(plain, (compressed += first.chunk.length));
  }
}

/** Cuts a source where headers stand. */
class Chunks {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);
  #isWhole = false;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  /** What was read, and is no chunk. */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Null at the end, and where the next header is too far away. */
  async next(): Promise<Buffer | null> {
    for (let from = MIN_COMPRESSED_BYTES; ;) {
      const end = this.#rest.indexOf(HEADER, from);
      if (end !== -1) return this.#cut(end);
      if (this.#isWhole) return this.#rest.length === 0 ? null : this.#cut(this.#rest.length);
      if (this.#rest.length > MAX_COMPRESSED_BYTES) return null;
      const { value, done } = await this.#source.next();
      from = Math.max(MIN_COMPRESSED_BYTES, this.#rest.length - HEADER.length + 1);
      if (done === true) this.#isWhole = true;
      else this.#rest = Buffer.concat([this.#rest, value]);
    }
  }

  #cut(end: number): Buffer {
    const chunk = this.#rest.subarray(0, end);
    this.#rest = this.#rest.subarray(end);
    return chunk;
  }
}

/** Typed by what it is asked for with `info`. */
const gunzip: (chunk: Uint8Array, options: zlib.ZlibOptions) => Promise<unknown> = promisify(zlib.gunzip);

/** Null for what is anything but whole members. */
async function inflate(chunk: Buffer): Promise<Buffer | null> {
  if (!chunk.subarray(0, HEADER.length).equals(HEADER)) return null;
  // What the last member says of its size (RFC 1952 section 2.3.1) need not be true: it saves a second buffer, and a way there and back.
  const chunkSize = Math.max(MIN_BUFFER_BYTES, Math.min(chunk.readUInt32LE(chunk.length - 4) + 1, MAX_PLAIN_BYTES));
  const options = { chunkSize, maxOutputLength: MAX_PLAIN_BYTES, info: true };
  const inflated = await gunzip(chunk, options).catch(() => null);
  return isInflated(inflated) && inflated.engine.bytesWritten === chunk.length ? inflated.buffer : null;
}

/** What node:zlib gives with `info`, which its types do not know. */
function isInflated(value: unknown): value is { readonly buffer: Buffer; readonly engine: zlib.Gunzip } {
  return typeof value === 'object' && value !== null && 'engine' in value && 'buffer' in value;
}
