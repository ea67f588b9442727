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
/** Where whoever begins a task says so, the thread or who gave it: one place for each that may be under way. */
const FIRST_BEGUN = 2;
const PLACES = 16;
export const STATE_LENGTH: number = FIRST_BEGUN + PLACES;

/** Makes the place of a task, by its number from 0 on, free for it. */
export function announce(state: Int32Array, task: number): void {
  Atomics.store(state, FIRST_BEGUN + (task % PLACES), 0);
}

/** Whether the task is the caller's to do: nobody has begun it before. */
export function begin(state: Int32Array, task: number): boolean {
  return Atomics.compareExchange(state, FIRST_BEGUN + (task % PLACES), 0, 1) === 0;
}

/** Both in memory that is shared. */
export interface CodecTask {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

/** The first message of a thread; all others are lengths. */
export const UP = -2;
/** Instead of a length: who gave the task has done it. */
export const TAKEN_BACK = -3;
