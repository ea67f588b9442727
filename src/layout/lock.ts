import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { localError, systemCode, throwIfAborted } from '../errors.ts';
import { ownerIsGone, ownerTag } from './owner.ts';

const POLL_MILLISECONDS = 25;

/** A commit takes milliseconds. A lock this old is of a machine or container that can't be asked any more. */
const ABANDONED_MILLISECONDS = 10 * 60 * 1000;

export interface LockOptions {
  /** A free name on the same file system. */
  readonly temporary: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `use` while no other oci-plone holds the lock. The lock is made by link(2), so that it is never there without its
 * owner's tag in it; one whose owner was killed is taken away.
 */
export async function withLock<T>(path: string, options: LockOptions, use: () => Promise<T>): Promise<T> {
  const { temporary, signal } = options;
  throwIfAborted(signal);
  try {
    writeFileSync(temporary, ownerTag(), { flag: 'wx' });
    throwIfAborted(signal);
    while (!taken(temporary, path)) {
      throwIfAborted(signal);
      breakAbandoned(path, `${temporary}-broken`);
      await sleep(POLL_MILLISECONDS);
    }
  } catch (error) {
    throw localError(`cannot lock ${path}`, error);
  } finally {
    rmSync(temporary, { force: true });
  }
  try {
    return await use();
  } finally {
    rmSync(path, { force: true });
  }
}

function taken(mine: string, path: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves an abandoned lock away before it is removed: what was moved may turn out to be a newer, living one. */
function breakAbandoned(path: string, aside: string): void {
  try {
    if (!isAbandoned(path)) return;
    renameSync(path, aside);
    if (!isAbandoned(aside)) linkSync(aside, path);
    rmSync(aside);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'EEXIST') throw error;
  }
}

function isAbandoned(lock: string): boolean {
  const age = Date.now() - statSync(lock).mtimeMs;
  return ownerIsGone(readFileSync(lock, 'utf8')) || age > ABANDONED_MILLISECONDS;
}
