import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Codec, type CodecName, loadCodec } from './codec.ts';
import { type CodecTask, type CodecThread, DONE, STARTED, STATE_LENGTH, UP, announce, begin } from './codec-thread.ts';

/** Each costs 20 MB, and more would wait for the one thread that reads, hashes and writes. */
const MAX_WORKERS = 3;

/**
 * One that a thread has under way, and one that waits for it. Where there is only one thread, and it is fast, it would be out of
 * them while the caller is long about something else.
 */
const TASKS_PER_THREAD = { slow: 2, fast: 3 } as const;

interface Waiting extends CodecTask {
  /** Its number among those of its thread. */
  readonly number: number;
  readonly resolve: (length: number) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  /** See `CodecThread`. */
  readonly state: Int32Array;
  /** Settled once it is there, or has ended. */
  readonly isUp: Promise<void>;
  sent: number;
  /** For the tasks it was given, oldest first. */
  readonly waiting: Waiting[];
}

/**
 * Runs a codec in a thread for each processor but the caller's, and in the caller's while those have enough to do. Which one
 * it is changes no byte.
 */
export class CodecPool {
  readonly #threads: Thread[] = [];
  readonly #name: CodecName;
  readonly #codec: Codec;
  readonly #threadCount: number = threadCount();
  readonly #perThread: number;
  /** One that ended is not started again: it would end again. */
  #starts = 0;

  private constructor(name: CodecName, codec: Codec, pace: keyof typeof TASKS_PER_THREAD) {
    this.#name = name;
    this.#codec = codec;
    this.#perThread = TASKS_PER_THREAD[this.#threadCount === 1 ? pace : 'slow'];
  }

  static async of(name: CodecName, pace: keyof typeof TASKS_PER_THREAD): Promise<CodecPool> {
    return new CodecPool(name, await loadCodec(name), pace);
  }

  /**
   * How many tasks keep all threads busy; each is memory. The caller has as many as the others: what it has done itself waits for
   * what it gave away before.
   */
  get tasks(): number {
    return this.#perThread * (this.#threadCount + 1);
  }

  /** See `Codec`. */
  get id(): string {
    return this.#codec.id;
  }

  /**
   * What the codec returns. Memory for a promise must be shared, and left alone until it is settled. Threads are started when
   * they are first needed, and get nothing to do until they are there.
   */
  run(input: Uint8Array, output: Uint8Array): Promise<number> | number {
    const thread = this.#free();
    if (thread === null) return this.runHere(input, output);
    const length = new Promise<number>((resolve, reject) => {
      const task: CodecTask = { input, output };
      thread.waiting.push({ ...task, number: thread.sent, resolve, reject });
      announce(thread.state, thread.sent);
      thread.sent += 1;
      thread.worker.postMessage(task);
    });
    // Whoever stops early waits for none of the later ones, which end with their thread.
    length.catch(() => undefined);
    return length;
  }

  /** For what is too little to start a thread for. */
  runHere(input: Uint8Array, output: Uint8Array): number {
    return this.#codec.run(input, output);
  }

  /** Does the last task that no thread has begun, for when there will be no more; false where there is none. */
  takeBack(): boolean {
    for (const { state, waiting } of this.#threads) {
      const task = waiting.findLast(({ number }) => begin(state, number));
      if (task === undefined) continue;
      try {
        task.resolve(this.runHere(task.input, task.output));
      } catch (error) {
        task.reject(error);
      }
      return true;
    }
    return false;
  }

  /** Starts all threads at once, where it is known before the first task that there will be many. */
  start(): void {
    while (this.#starts < this.#threadCount) this.#start();
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#threads.map(async ({ worker, isUp }) => {
        // Node 20 may crash where a thread is ended while it loads its module.
        await isUp;
        await worker.terminate();
      }),
    );
  }

  /** The thread that has least to do; null where that is enough. */
  #free(): Thread | null {
    const idlest = this.#threads.reduce<Thread | null>(
      (one, other) => (one === null || queued(other) < queued(one) ? other : one),
      null,
    );
    if (idlest !== null && queued(idlest) === 0) return idlest;
    if (this.#starts < this.#threadCount) this.#start();
    return idlest !== null && queued(idlest) < this.#perThread ? idlest : null;
  }

  #start(): void {
    this.#starts += 1;
    const state = new Int32Array(new SharedArrayBuffer(STATE_LENGTH * Int32Array.BYTES_PER_ELEMENT));
    const workerData: CodecThread = { codec: this.#name, state };
    const worker = new Worker(new URL(import.meta.resolve('#codec-worker')), { execArgv: [], workerData });
    const isUp = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
      worker.on('message', (message) => message === UP && resolve());
    });
    const thread: Thread = { worker, state, isUp, sent: 0, waiting: [] };
    worker.on('message', (message: number) => {
      if (message !== UP) thread.waiting.shift()?.resolve(message);
    });
    const end = (reason: unknown): void => {
      if (this.#threads.includes(thread)) this.#threads.splice(this.#threads.indexOf(thread), 1);
      thread.waiting.splice(0).forEach(({ reject }) => reject(reason));
    };
    worker.on('error', end);
    worker.on('exit', () => end(new Error('a thread of a codec ended')));
    this.#threads.push(thread);
  }
}

function queued({ sent, state }: Thread): number {
  return Atomics.load(state, STARTED) === 0 ? Infinity : sent - Atomics.load(state, DONE);
}

function threadCount(): number {
  return Math.min(MAX_WORKERS, availableParallelism() - 1);
}
