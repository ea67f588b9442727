import { getHeapSpaceStatistics } from 'node:v8';

/** Since Node 21, which the types of Node 20 do not know. */
interface Transferable {
  readonly transfer?: (newByteLength: number) => unknown;
}

/** Smaller ones may be parts of what node shares among them. */
const OWN_BYTES = 512 * 1024;

/**
 * Frees the memory of an array that nobody uses any more, where this Node can. What V8 does not have to look for costs it
 * nothing: of what zstd brings with each block 64 MB are there soon, and then V8 goes through all that is alive.
 */
export function freeNow({ buffer }: Uint8Array): void {
  const memory: ArrayBufferLike & Transferable = buffer;
  if (buffer.byteLength >= OWN_BYTES) memory.transfer?.(0);
}

/** The same function, which before every so many calls frees what those before left dead. */
export function freeingEvery<A extends readonly unknown[], R>(
  calls: number,
  run: (...args: A) => R,
): (...args: A) => R {
  let next = 0;
  return (...args) => {
    if (next-- === 0) {
      next = calls - 1;
      freeDeadBuffers();
    }
    return run(...args);
  };
}

/** What `freeDeadBuffers` made last; without a use of it the compiler would make nothing. */
let garbage: readonly undefined[] = [];

const GARBAGE_LENGTH = 100;
const GARBAGE_BYTES = 8 * GARBAGE_LENGTH + 32;

/**
 * Encoders in JavaScript leave buffers that are dead when the next block begins. V8 frees them when its young generation is full, which
 * these buffers do not fill, or when 64 MB of them have gathered, which is too much for each of several threads. So it is
 * filled: after each call where it is as small as in the threads that only encode, after a few where it has grown.
 */
function freeDeadBuffers(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
  const count = Math.max(1_200_000, young / 8) / GARBAGE_BYTES;
  // oxlint-disable-next-line unicorn/no-new-array -- its length is all that matters
  for (let made = 0; made < count; made++) garbage = new Array<undefined>(GARBAGE_LENGTH);
  return garbage.length;
}
