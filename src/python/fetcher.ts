import { OciPloneError, throwIfAborted } from '../errors.ts';
import { discard } from '../http/get.ts';
import type { HttpGet, HttpResponse } from '../http/get.ts';
import { isPassing } from '../http/network-error.ts';
import { askedWait, isPassingStatus, retryWait } from '../http/retry-timing.ts';
import type { OnProgress } from '../progress.ts';
import type { OriginCredentials } from './credentials.ts';

export interface FetcherOptions {
  readonly get: HttpGet;
  readonly credentials: OriginCredentials;
  readonly offline: boolean;
  readonly concurrency: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
  /** Waits for so many milliseconds; only a test has another one. */
  readonly pause: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses, beside 200, that the reader knows what to do with. */
  readonly accepts?: readonly number[];
}

/** A wait that is worth a line. */
const LONG_WAIT = 5_000;

class StatusFailure extends Error {
  override readonly name = 'StatusFailure';
  readonly status: number;
  /** Milliseconds that the index asked to wait, or null. */
  readonly asked: number | null;

  constructor({ status, headers }: HttpResponse) {
    super(`status ${status}`);
    this.status = status;
    this.asked = askedWait(headers['retry-after'], headers['date']);
  }
}

/** Asks an index: bounded in parallel, again after what may pass, with credentials on their own origin only. */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #gate: Gate;

  constructor(options: FetcherOptions) {
    this.#options = options;
    this.#gate = new Gate(options.concurrency);
  }

  get isOffline(): boolean {
    return this.#options.offline;
  }

  /**
   * Asks for a URL and reads the answer. The reader is called again when an attempt failed.
   *
   * @throws REGISTRY, AUTHENTICATION, NETWORK, ABORTED; INPUT_ABSENT when offline
   */
  async ask<T>(url: string, ask: Ask, read: (response: HttpResponse) => Promise<T>): Promise<T> {
    if (this.#options.offline)
      throw new OciPloneError(
        'INPUT_ABSENT',
        `${url} is needed, is not in the cache, and --offline forbids to ask for it`,
        {
          hint: 'Run it once without --offline.',
        },
      );
    return this.#gate.run(async () => {
      for (let failed = 1; ; failed += 1) {
        try {
          return await this.#once(url, ask, read);
        } catch (error) {
          await this.#waitAfter(error, failed);
        }
      }
    });
  }

  async #once<T>(url: string, ask: Ask, read: (response: HttpResponse) => Promise<T>): Promise<T> {
    const { get, credentials, signal } = this.#options;
    throwIfAborted(signal);
    const response = await get(credentials.apply(url), { headers: ask.headers ?? {}, signal });
    if (response.status === 200 || (ask.accepts ?? []).includes(response.status)) return read(response);
    await discard(response.body);
    throw statusError(url, response);
  }

  async #waitAfter(error: unknown, failed: number): Promise<void> {
    const { signal, onProgress, pause } = this.#options;
    const asked = error instanceof OciPloneError && error.cause instanceof StatusFailure ? error.cause.asked : null;
    const wait = mayPass(error) ? retryWait(failed, asked, Math.random()) : null;
    if (wait === null || !(error instanceof OciPloneError)) throw error;
    if (wait >= LONG_WAIT)
      onProgress?.({ kind: 'note', text: `${error.message}; trying again in ${Math.round(wait / 1000)} s` });
    await pause(wait, signal);
  }
}

/** An index in trouble, a connection that broke, a body that was cut off: that has no cause. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof OciPloneError)) return false;
  if (error.cause instanceof StatusFailure) return isPassingStatus(error.cause.status);
  return isPassing(error) || (error.code === 'NETWORK' && error.cause === undefined);
}

function statusError(url: string, response: HttpResponse): OciPloneError {
  const cause = new StatusFailure(response);
  const { status } = response;
  if (status === 401 || status === 403 || status === 407)
    return new OciPloneError('AUTHENTICATION', `${url}: the index answered ${status}`, {
      hint: 'Put user and password into the address of the index, as pip has them.',
      cause,
    });
  return new OciPloneError('REGISTRY', `${url}: the index answered ${status}`, {
    hint: isPassingStatus(status) ? 'Try again later.' : 'Check the address of the index.',
    cause,
  });
}

/** Lets so many tasks run at once; the others wait in line. */
class Gate {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#width) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // The place is handed over, not given back: nobody can slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
