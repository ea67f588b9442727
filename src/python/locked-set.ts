import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OciPloneError } from '../errors.ts';
import { localPath } from './index-location.ts';
import type { IndexLocation } from './index-location.ts';
import type { Lock, LockedPackage } from './lock.ts';
import { canonicalName } from './name.ts';
import { nearestNames } from './nearest.ts';
import type { WorkingSet } from './working-set.ts';

/**
 * The working set of a lock. No index is asked; files that came out of a folder are looked for in the folders.
 *
 * @param location - where distributions are looked for now
 * @param baseFolder - what relative paths start from
 * @throws INPUT_ABSENT for a file that lies in none of the folders
 */
export async function lockedSet(lock: Lock, location: IndexLocation, baseFolder: string): Promise<WorkingSet> {
  const folders = foldersOf(location, baseFolder);
  const urls = await Promise.all(lock.packages.map(async (one) => one.url ?? (await findFile(one, folders))));
  // Looked for side by side, told in order.
  const distributions = lock.packages.map((one, at) => ({ ...one, url: urls[at] ?? fail(one, folders) }));
  const { python, platform, glibc, picked, missing } = lock;
  return {
    target: { pythonVersion: python, platform, glibc, implementation: 'cpython' },
    distributions,
    picked,
    missing,
  };
}

/** Folders of files or files themselves, and folders with one for each project. */
interface Folders {
  readonly links: readonly string[];
  readonly indexes: readonly string[];
}

function foldersOf({ findLinks, indexes }: IndexLocation, base: string): Folders {
  const local = (addresses: readonly string[]): readonly string[] =>
    addresses.map((address) => localPath(address, base)).filter((path) => path !== null);
  return { links: local(findLinks), indexes: local(indexes) };
}

async function findFile({ file, name }: LockedPackage, { links, indexes }: Folders): Promise<string | null> {
  const candidates = [
    ...links.map((path) => (basename(path) === file ? path : join(path, file))),
    ...indexes.map((path) => join(path, name, file)),
  ];
  for (const path of candidates) if (await exists(path)) return pathToFileURL(path).toString();
  return null;
}

function fail({ file }: LockedPackage, { links }: Folders): never {
  throw new OciPloneError(
    'INPUT_ABSENT',
    `${file}, which is locked, is in none of the folders (${links.join(', ') || 'there are none'})`,
    { hint: 'Name its folder in find-links, or use --upgrade to take it from an index.' },
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}

/**
 * The versions of a lock that resolving is to stay with. Those to be upgraded are left out.
 *
 * @param upgrade - names, or `all`
 * @throws INPUT_ABSENT for a name that the lock does not have
 */
export function keptVersions(lock: Lock, upgrade: 'all' | readonly string[]): ReadonlyMap<string, string> {
  if (upgrade === 'all') return new Map();
  const names = lock.packages.map(({ name }) => name);
  const moved = upgrade.map((name) => canonicalName(name));
  const unknown = moved.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = nearestNames(unknown, names);
    throw new OciPloneError('INPUT_ABSENT', `${unknown} is not in the lock, and so cannot be upgraded`, {
      hint: near.length === 0 ? 'Name a package of the lock.' : `Did you mean ${near.join(' or ')}?`,
    });
  }
  return new Map(lock.packages.filter(({ name }) => !moved.includes(name)).map(({ name, version }) => [name, version]));
}

/** What is another version now; null where there is, or was, none. */
export interface Change {
  readonly name: string;
  readonly from: string | null;
  readonly to: string | null;
}

/** What changed from one lock to the next, sorted by name. */
export function changesOf(before: Lock | null, after: Lock): readonly Change[] {
  const old = new Map((before?.packages ?? []).map(({ name, version }) => [name, version]));
  const now = new Map(after.packages.map(({ name, version }) => [name, version]));
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .map((name) => ({ name, from: old.get(name) ?? null, to: now.get(name) ?? null }))
    .filter(({ from, to }) => from !== to);
}
