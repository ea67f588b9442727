import { type Stats, lstatSync, realpathSync } from 'node:fs';
import { dirname, basename, join } from 'node:path';

/** Whether an absolute, normalised path is a folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/**
 * The real paths of what exists, or as much of them as does. At once and folder by folder: of some 700 places where credentials may
 * be most are in folders that are not there, and a failed promise for each takes longer than Nix takes to answer.
 */
export function realPaths(paths: readonly string[]): readonly string[] {
  const known = new Map<string, RealPath>();
  const find = (path: string): RealPath => {
    const found = known.get(path) ?? realPath(path, find);
    known.set(path, found);
    return found;
  };
  return paths.map((path) => find(path).path);
}

interface RealPath {
  readonly path: string;
  readonly exists: boolean;
}

function realPath(path: string, find: (path: string) => RealPath): RealPath {
  const parent = dirname(path);
  if (parent === path) return { path, exists: true };
  const folder = find(parent);
  const there = join(folder.path, basename(path));
  const stats = folder.exists ? lookedAt(there) : undefined;
  if (stats === undefined) return { path: there, exists: false };
  if (!stats.isSymbolicLink()) return { path: there, exists: true };
  try {
    return { path: realpathSync.native(there), exists: true };
  } catch {
    return { path: there, exists: false };
  }
}

/** What lies at a path itself, or undefined where nothing can be seen there. */
export function lookedAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
