import { setTimeout as sleep } from 'node:timers/promises';
import { OciPloneError, throwIfAborted } from '../errors.ts';
import type { HttpGet, HttpResponse } from '../http/get.ts';
import type { OnProgress } from '../progress.ts';
import type { OriginCredentials } from './credentials.ts';
import { Gate } from './gate.ts';
import { isPassingStatus, retryWait } from './retry-wait.ts';

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
  /** Seconds, or null. */
  readonly retryAfter: number | null;

  constructor(status: number, retryAfter: string | undefined) {
    super(`status ${status}`);
    this.status = status;
    this.retryAfter = /^\d+$/.test(retryAfter ?? '') ? Number(retryAfter) : null;
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
    try {
      const response = await get(credentials.apply(url), { headers: ask.headers ?? {}, signal });
      if (response.status !== 200 && !(ask.accepts ?? []).includes(response.status)) {
        await discard(response);
        throw statusError(url, response);
      }
      return await read(response);
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof OciPloneError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new OciPloneError('NETWORK', `${url}: ${reason}`, {
        hint: 'Check the network, the proxy, and the address of the index.',
        cause: error,
      });
    }
  }

  async #waitAfter(error: unknown, failed: number): Promise<void> {
    const { signal, onProgress, pause } = this.#options;
    const status = error instanceof OciPloneError && error.cause instanceof StatusFailure ? error.cause : null;
    const passes =
      status === null ? error instanceof OciPloneError && error.code === 'NETWORK' : isPassingStatus(status.status);
    const wait = passes ? retryWait(failed, status?.retryAfter ?? null, Math.random()) : null;
    if (wait === null) throw error;
    if (wait >= LONG_WAIT && error instanceof OciPloneError)
      onProgress?.({ kind: 'note', text: `${error.message}; trying again in ${Math.round(wait / 1000)} s` });
    await pause(wait, signal);
  }
}

/** Waits, or throws ABORTED. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

function statusError(url: string, { status, headers }: HttpResponse): OciPloneError {
  const cause = new StatusFailure(status, headers['retry-after']);
  if (status === 401 || status === 407)
    return new OciPloneError('AUTHENTICATION', `${url}: the index answered ${status}`, {
      hint: 'Put user and password into the address of the index, as pip has them.',
      cause,
    });
  return new OciPloneError('REGISTRY', `${url}: the index answered ${status}`, {
    hint: isPassingStatus(status) ? 'Try again later.' : 'Check the address of the index.',
    cause,
  });
}

/** Leaves an answer unread. */
export async function discard(response: HttpResponse): Promise<void> {
  try {
    // Leaving the loop closes the body.
    for await (const _part of response.body) break;
  } catch {
    // Whatever ails the body: nobody wanted it.
  }
}
