import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { localError, OciPloneError, systemCode } from '../errors.ts';

/** A file to be written. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  /** Whether what is there may be replaced, whoever wrote it. */
  readonly replace: boolean;
}

/** The first line of what this program wrote. */
const OWN = /^# Written by oci-plone /;

/**
 * Writes files, all of them or none: each is complete beside its place before the first is renamed into it. What is there
 * already and is the same stays untouched.
 *
 * @throws INPUT_REFUSED for a file that this program did not write, LOCAL_IO
 */
export async function writeFiles(files: readonly NewFile[]): Promise<void> {
  const changed: NewFile[] = [];
  for (const file of files) {
    const old = await readText(file.path);
    if (old === file.text) continue;
    if (old !== null && !file.replace && !OWN.test(old))
      throw new OciPloneError('INPUT_REFUSED', `${file.path} is there, and was not written by oci-plone`, {
        hint: 'Move it away, choose another folder with -o, or overwrite it with --force.',
      });
    changed.push(file);
  }
  const waiting = new Map<string, string>();
  try {
    for (const { path, text } of changed) {
      const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.oci-plone.tmp`);
      waiting.set(temporary, path);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, text);
    }
    for (const [temporary, path] of waiting) {
      await rename(temporary, path);
      waiting.delete(temporary);
    }
  } catch (error) {
    throw localError(`writing ${[...waiting.values()][0] ?? 'files'}`, error);
  } finally {
    for (const temporary of waiting.keys()) await rm(temporary, { force: true });
  }
}

/** Files that are not what they would be written as; another release's header is no difference. */
export async function differingFiles(files: readonly NewFile[]): Promise<readonly string[]> {
  const same = await Promise.all(
    files.map(async ({ path, text }) => {
      const old = await readText(path);
      return old !== null && withoutRelease(old) === withoutRelease(text);
    }),
  );
  return files.filter((_, index) => same[index] !== true).map(({ path }) => path);
}

function withoutRelease(text: string): string {
  return text.replace(/^(# Written by oci-plone )\S+/, '$1');
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw localError(`reading ${path}`, error);
  }
}
