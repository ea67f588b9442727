import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { MAX_MEMBER_BYTES, gzipMember } from './gzip-member.ts';
import type { GzipTask } from './gzip-worker.ts';

/** Each costs 20 MB, and more would wait for the one thread that reads, hashes and writes. */
const MAX_WORKERS = 4;

interface Waiting {
  readonly resolve: (memberLength: number) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread and the blocks it was given, oldest first. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Waiting[];
}

/**
 * Encodes members on every processor. The first block is encoded where it is, so that a small layer never pays for
 * starting a thread; how many threads there are changes no byte.
 */
export class GzipPool {
  readonly #threads: Thread[] = [];
  readonly #free: Uint8Array[] = [];
  #blocks = 0;

  /** The block must be in shared memory and stay as it is until its member is there. */
  encode(block: Uint8Array): Promise<Uint8Array> {
    if (this.#blocks++ === 0) return Promise.resolve(gzipMember(block));
    const thread = this.#idlest();
    const member = this.#free.pop() ?? new Uint8Array(new SharedArrayBuffer(MAX_MEMBER_BYTES));
    const take = (length: number): Uint8Array => {
      this.#free.push(member);
      return Uint8Array.from(member.subarray(0, length));
    };
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve: (length) => resolve(take(length)), reject });
      const task: GzipTask = { block, member };
      thread.worker.postMessage(task);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #idlest(): Thread {
    const free = this.#threads.find(({ waiting }) => waiting.length === 0);
    if (free !== undefined) return free;
    if (this.#threads.length < Math.min(MAX_WORKERS, availableParallelism())) return this.#start();
    return this.#threads.reduce((one, other) => (other.waiting.length < one.waiting.length ? other : one));
  }

  #start(): Thread {
    const thread: Thread = {
      worker: new Worker(new URL('./gzip-worker.js', import.meta.url), { execArgv: [] }),
      waiting: [],
    };
    thread.worker.on('message', (length: number) => thread.waiting.shift()?.resolve(length));
    thread.worker.on('error', (error) => thread.waiting.splice(0).forEach(({ reject }) => reject(error)));
    const ended = new Error('a thread that encodes ended');
    thread.worker.on('exit', () => thread.waiting.splice(0).forEach(({ reject }) => reject(ended)));
    this.#threads.push(thread);
    return thread;
  }
}
