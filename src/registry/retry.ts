import { OciPloneError } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { isPassing } from '../http/network-error.ts';
import { HttpFailure } from './registry-error.ts';
import { isPassingStatus, pause, retryWait } from '../http/retry-timing.ts';

export interface RetryOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Waits for so many milliseconds; only a test has another one. */
  readonly pause?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** A wait that is worth a line. */
const LONG_WAIT = 5_000;

/** Runs something that may be done twice, such as a PUT by digest, again after failures that may pass. */
export async function withRetries<T>(action: () => Promise<T>, options: RetryOptions): Promise<T> {
  const wait = options.pause ?? pause;
  for (let failed = 1; ; failed += 1) {
    try {
      return await action();
    } catch (error) {
      const milliseconds = waitAfter(error, failed);
      if (milliseconds === null || !(error instanceof OciPloneError)) throw error;
      if (milliseconds >= LONG_WAIT)
        options.onProgress?.({
          kind: 'note',
          text: `${error.message}; trying again in ${Math.round(milliseconds / 1000)} s`,
        });
      await wait(milliseconds, options.signal);
    }
  }
}

function waitAfter(error: unknown, failed: number): number | null {
  if (!(error instanceof OciPloneError)) return null;
  if (error.cause instanceof HttpFailure && isPassingAnswer(error.cause))
    return retryWait(failed, error.cause.retryAfter, Math.random());
  return isPassing(error) ? retryWait(failed, null, Math.random()) : null;
}

/** A registry that does not know a blob yet may have stored it in this very moment. */
function isPassingAnswer({ status, codes }: HttpFailure): boolean {
  return isPassingStatus(status) || codes.includes('MANIFEST_BLOB_UNKNOWN');
}
