/** When to ask an index again. Pure: no clock, no dice, no sleep. */

const MAX_ATTEMPTS = 4;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8_000;
const LONGEST_ASKED_WAIT = 30_000;

/** Statuses that may pass: a time-out, too many requests, and trouble on the index's side. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/**
 * How many milliseconds to wait before the next attempt, or null to give up.
 *
 * @param failed - how many attempts failed so far, at least 1
 * @param asked - the seconds of a Retry-After header, or null
 * @param random - from 0 to 1: the whole wait is jitter
 */
export function retryWait(failed: number, asked: number | null, random: number): number | null {
  if (failed >= MAX_ATTEMPTS) return null;
  const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (failed - 1)) * random;
  return asked === null ? wait : Math.max(wait, Math.min(asked * 1000, LONGEST_ASKED_WAIT));
}
