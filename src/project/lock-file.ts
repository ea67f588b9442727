import { readFile } from 'node:fs/promises';
import { localError, systemCode } from '../errors.ts';
import type { Lock } from '../python/lock.ts';
import { parseLock } from '../python/lock-parser.ts';

/** Where the lock of a buildout is: beside it. Of several parts that are packed each has its own. */
export function lockPath(file: string, part: string | null): string {
  return part === null ? `${file}.lock.json` : `${file}.${part}.lock.json`;
}

/**
 * Reads a lock; null where there is none.
 *
 * @throws INPUT_MALFORMED, LOCAL_IO
 */
export async function readLock(path: string): Promise<Lock | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw localError(`reading ${path}`, error);
  }
  return parseLock(text, path);
}
