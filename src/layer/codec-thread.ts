import type { CodecName } from './codec.ts';

/** What a thread is started with. */
export interface CodecThread {
  readonly codec: CodecName;
  /** See STARTED and DONE: seen by the other thread at once, and not only when it hears of it. */
  readonly state: Int32Array;
}

/** Where it says that it is there. */
export const STARTED = 0;
/** Where it counts the tasks that are done. */
export const DONE = 1;

/** Both in memory that is shared. */
export interface CodecTask {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** The first message of a thread; all others are lengths. */
export const UP = -2;
