import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Smaller ones may be parts of what node shares among them. */
const OWN_BYTES = 512 * 1024;

/** Gives an array's memory to another one of so many bytes. */
type Transfer = (this: ArrayBufferLike, bytes: number) => unknown;

let transfer: Transfer | null = null;

/**
 * Frees the memory of an array that nobody uses any more. What V8 does not have to look for costs it nothing: of what zstd
 * brings with each block 64 MB are there soon, and then V8 goes through all that is alive.
 */
export function freeNow({ buffer }: Uint8Array): void {
  if (buffer.byteLength < OWN_BYTES) return;
  transfer ??= findTransfer();
  transfer.call(buffer, 0);
}

/**
 * To be called before much is done with arrays: up to the first one that is given away, V8 compiles as if none ever were, and then
 * throws away all it has made of what works on arrays.
 */
export function freeFirst(): void {
  freeNow(new Uint8Array(OWN_BYTES));
}

/** `ArrayBuffer.prototype.transfer` of ECMAScript 2024: Node 20 has it, and shows it to a context that is made under a flag. */
function findTransfer(): Transfer {
  const has: { readonly transfer?: Transfer } & ArrayBuffer = ArrayBuffer.prototype;
  if (has.transfer !== undefined) return has.transfer;
  setFlagsFromString(`--${FLAG}`);
  const found: unknown = runInNewContext('ArrayBuffer.prototype.transfer');
  setFlagsFromString(`--no-${FLAG}`);
  return isTransfer(found) ? found : () => undefined;
}

const FLAG = 'harmony-rab-gsab-transfer';

function isTransfer(value: unknown): value is Transfer {
  return typeof value === 'function';
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
