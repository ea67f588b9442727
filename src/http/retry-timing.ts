/** When to try again. All but `pause` is pure: no clock, no dice. */

import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfAborted } from '../errors.ts';

const MAX_ATTEMPTS = 4;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
/** A server that asks for more patience than this is not waited for longer; the next failure is reported. */
const LONGEST_ASKED_WAIT = 30_000;

/** Statuses that may pass: a time-out, too many requests, and trouble on the server's side. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/**
 * How many milliseconds to wait before the next attempt, or null to give up.
 *
 * @param failed - how many attempts failed so far, at least 1
 * @param asked - milliseconds that the server asked for by Retry-After, or null
 * @param random - from 0 to 1: the whole wait is jitter, so that many clients do not return at once
 */
export function retryWait(failed: number, asked: number | null, random: number): number | null {
  if (failed >= MAX_ATTEMPTS) return null;
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failed - 1)) * random;
  return asked === null ? wait : Math.max(wait, Math.min(asked, LONGEST_ASKED_WAIT));
}

/**
 * The milliseconds that a server asked to wait, or null (RFC 9110, 10.2.3). A date counts from the answer's own, since clocks
 * differ.
 */
export function askedWait(retryAfter: string | null | undefined, date: string | null | undefined): number | null {
  if (retryAfter === null || retryAfter === undefined) return null;
  if (/^[0-9]+$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const wait = Date.parse(retryAfter) - Date.parse(date ?? '');
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

/** Waits for so many milliseconds, or throws ABORTED. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}
