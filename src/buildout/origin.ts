import { redact } from '../errors.ts';

/** Where a value was written. */
export interface Origin {
  /** An absolute path, a URL without credentials, or one of DEFAULT, COMPUTED and COMMAND_LINE. */
  readonly file: string;
  /** Counted from 1; null where there is no file. */
  readonly line: number | null;
}

/** What zc.buildout itself has when no file says anything. */
export const DEFAULT: Origin = { file: 'default', line: null };
/** What follows from the place of the file. */
export const COMPUTED: Origin = { file: 'computed', line: null };
/** What the caller overrides. */
export const COMMAND_LINE: Origin = { file: 'command line', line: null };

/** `file:line`, for messages. */
export function place(origin: Origin | undefined): string {
  if (origin === undefined) return '';
  return origin.line === null ? origin.file : `${origin.file}:${String(origin.line)}`;
}

/** Whether a text is taken for a URL, by zc.buildout's own measure. */
export function isUrl(text: string): boolean {
  return /^[a-zA-Z0-9+.-]+:\/\//.test(text);
}

/** A URL as it may be shown: without user, password and unknown query values. */
export function shownUrl(url: string): string {
  return redact(url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/i, '$1'));
}
