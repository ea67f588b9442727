import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { PortableDeflater } from './gzip-member.ts';
import type { GzipTask } from './gzip-worker.ts';

/** Each costs 20 MB, and more would wait for the one thread that reads, hashes and writes. */
const MAX_WORKERS = 3;

interface Waiting {
  readonly resolve: (memberLength: number) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread and the blocks it was given, oldest first. */
interface Thread {
  readonly worker: Worker;
  readonly waiting: Waiting[];
}

/** Encodes members in a thread for each processor but the caller's; how many there are changes no byte. */
export class GzipPool {
  readonly #threads: Thread[] = [];
  readonly #deflater: PortableDeflater;

  constructor(deflater: PortableDeflater) {
    this.#deflater = deflater;
  }

  /** How many blocks keep it busy: one under way in each thread, and one that waits. */
  static get blocks(): number {
    return 2 * threadCount();
  }

  /** Both must be in shared memory and be left alone until the member is there; what is returned is a part of `member`. */
  encode(block: Uint8Array, member: Uint8Array): Promise<Uint8Array> {
    const thread = this.#idlest();
    return new Promise((resolve, reject) => {
      thread.waiting.push({ resolve: (length) => resolve(member.subarray(0, length)), reject });
      const task: GzipTask = { block, member, deflater: this.#deflater };
      thread.worker.postMessage(task);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #idlest(): Thread {
    const free = this.#threads.find(({ waiting }) => waiting.length === 0);
    if (free !== undefined) return free;
    if (this.#threads.length < threadCount()) return this.#start();
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

function threadCount(): number {
  return Math.min(MAX_WORKERS, availableParallelism() - 1);
}
