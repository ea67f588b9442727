import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What is kept between runs. The format of each kind has a number: another format is another folder. */
export type CacheKind = 'pages-1' | 'metadata-1' | 'files-1';

/** Where a thing is kept. Pure: the key is hashed unless it is a digest already. */
export function cachePath(folder: string, kind: CacheKind, key: string): string {
  const digest = /^[0-9a-f]{64}$/.test(key) ? key : createHash('sha256').update(key).digest('hex');
  return join(folder, kind, digest.slice(0, 2), digest);
}

/** A cached thing, or null: a cache that cannot be read is an empty one. */
export async function readCache(folder: string, kind: CacheKind, key: string): Promise<Buffer | null> {
  try {
    return await readFile(cachePath(folder, kind, key));
  } catch {
    return null;
  }
}

/** Keeps a thing, whole or not at all. A cache that cannot be written is no reason to fail. */
export async function writeCache(
  folder: string,
  kind: CacheKind,
  key: string,
  content: readonly Uint8Array[],
): Promise<void> {
  const path = cachePath(folder, kind, key);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
