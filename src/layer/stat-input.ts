import { type Stats, lstatSync, statSync } from 'node:fs';
import { OciPloneError, localError, systemCode } from '../errors.ts';

/** What the system says of a path where nothing is, or can be. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE']);

/**
 * What lies at a path that a caller named, links followed; undefined for nothing. Throws INPUT_ABSENT where this user may
 * not look, INPUT_MALFORMED for a loop of links.
 */
export function statInput(path: string): Stats | undefined {
  return looked(path, () => statSync(path));
}

/** The same of a link itself. */
export function lstatInput(path: string): Stats | undefined {
  return looked(path, () => lstatSync(path));
}

function looked(path: string, look: () => Stats): Stats | undefined {
  try {
    return look();
  } catch (error) {
    const code = systemCode(error);
    if (ABSENT.has(code)) return undefined;
    if (code === 'ELOOP')
      throw new OciPloneError('INPUT_MALFORMED', `${path}: a loop of symbolic links`, { cause: error });
    if (code === 'EACCES') throw notReadable(path, error);
    throw localError(`cannot look at ${path}`, error);
  }
}

export function notReadable(path: string, cause: unknown): OciPloneError {
  return new OciPloneError('INPUT_ABSENT', `${path}: not readable by this user`, { cause });
}
