/**
 * Every way in which this program can fail, each with the exit code of the command line. The set is closed: a caller may
 * switch over it. Sentences may change between releases, codes do not.
 */
export const EXIT_CODES = {
  /** A bug in oci-plone itself. */
  INTERNAL: 1,
  /** A flag, an option or a combination of them that makes no sense. */
  USAGE: 2,
  /** The input is not there. */
  INPUT_ABSENT: 3,
  /** The input is there and is not what it should be. */
  INPUT_MALFORMED: 3,
  /** The input is well-formed and asks for something that is never done: an unsafe name, a credential's folder. */
  INPUT_REFUSED: 3,
  /** Nix is not installed, or cannot be started. */
  NIX_ABSENT: 4,
  /** nix-instantiate, nix-store or a builder ended with an error. */
  NIX_FAILED: 4,
  /** Nix ran longer than the time it was given. */
  NIX_TIMEOUT: 4,
  /** The registry wants other credentials, or refuses these. */
  AUTHENTICATION: 5,
  /** The registry answered something that is not a success. */
  REGISTRY: 6,
  /** The registry could not be reached, or the connection broke. */
  NETWORK: 6,
  /** Bytes that do not have the digest they are named by. */
  DIGEST_MISMATCH: 7,
  /** Bubblewrap is missing, or this machine forbids what it needs. */
  SANDBOX_UNAVAILABLE: 8,
  /** This machine's own files: a full disk, a folder that cannot be written. */
  LOCAL_IO: 9,
  /** The caller's AbortSignal; the command line turns it into 130 (SIGINT) or 143 (SIGTERM). */
  ABORTED: 130,
} as const;

export type ErrorCode = keyof typeof EXIT_CODES;

/**
 * The one error class of the library. The message says what happened and where, the hint what to do about it. Both are
 * redacted here, when the error is made, so that no printer can forget it.
 */
export class OciPloneError extends Error {
  override readonly name = 'OciPloneError';
  readonly code: ErrorCode;
  /** One sentence that says what to do, or an empty string where there is nothing to be done. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: redactedCause(options.cause) });
    this.code = code;
    this.hint = redact(options.hint ?? '');
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

const SAFE_QUERY_KEYS: ReadonlySet<string> = new Set(['scope', 'service', 'mount', 'from', 'digest', 'n', 'last']);

const SECRET_FIELDS = 'auth|password|secret|token|access_token|refresh_token|identitytoken|registrytoken';
const JSON_SECRETS = new RegExp(`("(?:${SECRET_FIELDS})"\\s*:\\s*)"(?:[^"\\\\]|\\\\.)*"`, 'gi');

/** Takes passwords, tokens and unknown query values out of a text that may hold URLs, HTTP headers or JSON. */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#]*@/gi, '$1***@')
    .replace(/([?&])([^=&?\s]+)=([^&\s"']+)/g, (whole, mark: string, key: string) =>
      SAFE_QUERY_KEYS.has(key) ? whole : `${mark}${key}=***`,
    )
    .replace(/\b(authorization["']?\s*[:=]\s*["']?[a-z]+)\s+[^\s"',]+/gi, '$1 ***')
    .replace(/\b(basic|bearer)\s+([a-z0-9._~+/=-]{8,})/gi, (whole, scheme: string, token: string) =>
      isWord(token) ? whole : `${scheme} ***`,
    )
    .replace(JSON_SECRETS, '$1"***"')
    .replace(/\b(access_token|refresh_token|password)=[^&\s"']+/gi, '$1=***')
    .replace(/\b(access-tokens\s*=).*/gi, '$1 ***');
}

/** "Basic authentication" is no header; base64 without a capital, a digit or a mark is not to be expected. */
function isWord(token: string): boolean {
  return /^[a-z]{8,20}[.]?$/.test(token);
}

/** A cause without a secret stays the object it is; of another one name, code, message and stack are kept, redacted. */
function redactedCause(cause: unknown): unknown {
  if (typeof cause === 'string') return redact(cause);
  if (!(cause instanceof Error) || cause instanceof OciPloneError) return cause;
  const inner = redactedCause(cause.cause);
  const texts = [cause.message, cause.stack, ...Object.values(cause)].filter((text) => typeof text === 'string');
  if (inner === cause.cause && texts.every((text) => redact(text) === text)) return cause;
  const copy = new Error(redact(cause.message), inner === undefined ? undefined : { cause: inner });
  const code = systemCode(cause);
  return Object.assign(copy, {
    name: cause.name,
    stack: redact(cause.stack ?? ''),
    ...(code === '' ? {} : { code }),
  });
}

/** The system's error code (`ENOENT`, `EACCES` …) of anything that was thrown, or an empty string. */
export function systemCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : '';
  return typeof code === 'string' ? code : '';
}

/** Passes errors of this program on, and makes everything else an error of reading or writing local files. */
export function localError(doing: string, error: unknown): OciPloneError {
  if (error instanceof OciPloneError) return error;
  const code = systemCode(error);
  const reason = error instanceof Error ? systemReason(error.message) : String(error);
  return new OciPloneError('LOCAL_IO', `${doing}: ${reason}`, { hint: localHint(code), cause: error });
}

/** `ENOENT: no such file or directory, mkdtemp '/…'` without the call, which is ours and not the user's. */
function systemReason(message: string): string {
  return message.replace(/^(E[A-Z0-9]+): ([^,]+), .*$/s, '$2 ($1)');
}

function localHint(code: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Free some space, or set TMPDIR and the output to a larger disk.';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'Choose a place that this user may write to.';
    case 'ENOENT':
      return 'Create the folder first, or choose another place.';
    case 'EMFILE':
    case 'ENFILE':
      return 'Raise the limit of open files (ulimit -n).';
    default:
      return '';
  }
}

/** Throws ABORTED once the caller's signal fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new OciPloneError('ABORTED', 'stopped before it was done', { cause: signal.reason });
}
