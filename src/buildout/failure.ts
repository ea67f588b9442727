import { OciPloneError } from '../errors.ts';

/** An error of a buildout file: what zc.buildout calls a UserError, a ParsingError, a MissingOption. */
export function malformed(message: string, hint = '', cause?: unknown): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', message, cause === undefined ? { hint } : { hint, cause });
}

/** A text in quotes that a message can carry on one line. */
export function quoted(text: string): string {
  const short = text.length > 160 ? `${text.slice(0, 160)}…` : text;
  return JSON.stringify(short);
}
