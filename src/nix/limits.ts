import { OciPloneError } from '../errors.ts';

/** What ends a program early, shared by all programs of a session. */
export interface Limits {
  readonly signal: AbortSignal | undefined;
  /** Milliseconds of Nix's work that are left; Infinity without a limit. */
  remaining: number;
  readonly seconds: number | undefined;
  /** Milliseconds that Nix has to end by itself. */
  readonly grace: number;
  /** A path that names the session, see `endTree`. */
  readonly mark: string;
}

/** The first reason to stop; the others find the promise settled. `clear` leaves no timer and no listener. */
export interface Watch {
  readonly reason: Promise<OciPloneError>;
  readonly clear: () => void;
}

/** Watches the caller's signal and the time that is left. */
export function watch(limits: Limits): Watch {
  const cleaning: (() => void)[] = [];
  const reason = new Promise<OciPloneError>((resolve) => {
    const aborted = (): void => {
      resolve(new OciPloneError('ABORTED', 'stopped while Nix was running', { cause: limits.signal?.reason }));
    };
    limits.signal?.addEventListener('abort', aborted, { once: true });
    cleaning.push(() => limits.signal?.removeEventListener('abort', aborted));
    if (limits.remaining === Infinity) return;
    const late = (): void => {
      resolve(
        new OciPloneError('NIX_TIMEOUT', `Nix did not end within ${limits.seconds} seconds`, {
          hint: 'Give it more time with --timeout.',
        }),
      );
    };
    // setTimeout takes at most 2^31 - 1 milliseconds.
    const timer = setTimeout(late, Math.min(Math.max(limits.remaining, 0), 2 ** 31 - 1));
    cleaning.push(() => clearTimeout(timer));
  });
  return {
    reason,
    clear: () => {
      for (const clean of cleaning) clean();
    },
  };
}
