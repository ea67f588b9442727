import { NOT_THIS } from './codec.ts';
import { CodecPool } from './codec-pool.ts';
import { PLAIN_HEADER } from './gzip-member.ts';

/** A member of two mebibytes, even where it does not compress, is smaller; what is larger is not looked at as a member. */
const MAX_COMPRESSED_BYTES = 2304 * 1024;

const WORD_BYTES = 8;

/** Members are inflated together up to this size: an archive may be nothing but empty ones, and each call costs as much as some kilobytes. */
const MIN_COMPRESSED_BYTES = 2048;

/** What so few compressed bytes and a member after them make at most, where the members are ours: two mebibytes each. */
const MAX_PLAIN_BYTES = 4 * 1024 * 1024;

/** What is left of the archive: bytes that were read already, and how many went before them. */
export interface LeftOver {
  readonly head: readonly Uint8Array[];
  readonly compressed: number;
}

/** Whole members, perhaps, on their way through a thread. */
interface Chunk {
  readonly memory: Memory;
  readonly members: Uint8Array;
  /** The length of what they were inflated to, or NOT_THIS. */
  readonly plain: Promise<number> | number;
}

/** Used again and again: of each side, only what is written to takes up memory. */
interface Memory {
  readonly members: Uint8Array;
  readonly plain: Uint8Array;
}

/**
 * Inflates the members at the beginning of a gzip archive, several at a time, as long as they are as short as ours. A header
 * may also stand in a member by chance. So what lies between two of them only counts where it inflates, to its last byte and with
 * the right checksum; then it does so for whoever reads the archive from its beginning, too.
 *
 * @param take - gets what was inflated, in order, and how many compressed bytes there were up to its end; keeps nothing of it;
 *   a promise where the next is to wait
 * @returns what begins with the first byte that did not; null where that was the end
 */
export async function takeMembers(
  source: AsyncIterator<Uint8Array>,
  take: (plain: Uint8Array, compressed: number) => Promise<void> | undefined,
): Promise<LeftOver | null> {
  const pool = await CodecPool.of('gunzip', 'fast');
  try {
    return await takeBy(pool, new Members(source), take);
  } finally {
    await pool.close();
  }
}

async function takeBy(
  pool: CodecPool,
  source: Members,
  take: (plain: Uint8Array, compressed: number) => Promise<void> | undefined,
): Promise<LeftOver | null> {
  const queue: Chunk[] = [];
  const free: Memory[] = [];
  let compressed = 0;
  for (let isFirst = true; ; isFirst = false) {
    const found = queue.length < pool.tasks ? await source.next() : null;
    if (found !== null) {
      const memory = free.pop() ?? newMemory();
      // As far from a word's boundary as it was: into shared memory V8 copies the rest byte by byte, for a tenth of the time of it all.
      const at = found.byteOffset % WORD_BYTES;
      const members = memory.members.subarray(at, at + found.length);
      members.set(found);
      // A thread is not worth it for an archive of one.
      const plain = isFirst ? pool.runHere(members, memory.plain) : pool.run(members, memory.plain);
      queue.push({ memory, members, plain });
      continue;
    }
    const [first] = queue;
    if (first === undefined) return source.rest.length === 0 ? null : { head: [source.rest], compressed };
    const { memory, members } = first;
    const length = await first.plain;
    if (length === NOT_THIS)
      return { head: [...queue.map((one) => Uint8Array.from(one.members)), source.rest], compressed };
    queue.shift();
    await take(memory.plain.subarray(0, length), (compressed += members.length));
    free.push(memory);
  }
}

function newMemory(): Memory {
  return {
    members: new Uint8Array(new SharedArrayBuffer(WORD_BYTES + MAX_COMPRESSED_BYTES)),
    plain: new Uint8Array(new SharedArrayBuffer(MAX_PLAIN_BYTES)),
  };
}

/** Cuts a source where headers stand. */
class Members {
  readonly #source: AsyncIterator<Uint8Array>;
  #bytes: Buffer = Buffer.alloc(2 * MAX_COMPRESSED_BYTES);
  /** Of the bytes, those that were read and not given away. */
  #start = 0;
  #end = 0;
  #isWhole = false;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  /** What was read, and is in no chunk. */
  get rest(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Valid until it is asked for the next one. Null at the end, and where the next header is too far away. */
  async next(): Promise<Uint8Array | null> {
    for (let from = MIN_COMPRESSED_BYTES; ;) {
      const rest = this.rest;
      const end = Buffer.from(rest.buffer, rest.byteOffset, rest.length).indexOf(PLAIN_HEADER, from);
      if (end > MAX_COMPRESSED_BYTES) return null;
      if (end !== -1) return this.#cut(end);
      if (rest.length > MAX_COMPRESSED_BYTES) return null;
      if (this.#isWhole) return rest.length === 0 ? null : this.#cut(rest.length);
      const { value, done } = await this.#source.next();
      from = Math.max(MIN_COMPRESSED_BYTES, rest.length - PLAIN_HEADER.length + 1);
      if (done === true) this.#isWhole = true;
      else this.#add(value);
    }
  }

  #add(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#bytes.length) {
      const rest = this.rest;
      if (rest.length + piece.length > this.#bytes.length) this.#bytes = Buffer.alloc(2 * (rest.length + piece.length));
      this.#bytes.set(rest);
      this.#start = 0;
      this.#end = rest.length;
    }
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
  }

  #cut(length: number): Uint8Array {
    const chunk = this.#bytes.subarray(this.#start, this.#start + length);
    this.#start += length;
    return chunk;
  }
}
