import { posix } from 'node:path';

/** A folder of the machine where the instance was made, and where a container has it. Both absolute, without a `/` at the end. */
export interface Mapping {
  readonly from: string;
  readonly to: string;
}

/** Where a container has files of its own: a path below these is no leftover of another machine. */
const CONTAINER_FOLDERS = ['/opt', '/data', '/tmp', '/nix', '/app', '/dev', '/proc/self'] as const;

/** Longest first, so that `/home/u/plone/var` may go elsewhere than `/home/u/plone`. */
export function sortedMappings(mappings: readonly Mapping[]): readonly Mapping[] {
  return mappings.toSorted((one, other) => other.from.length - one.from.length);
}

/** Whether a path is a folder or below it: `/home/u/plone2` is not below `/home/u/plone`. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);
}

/** Where a container has this path, or null where none of the mappings, longest first, says so. */
export function mapPath(path: string, mappings: readonly Mapping[]): string | null {
  const mapping = mappings.find(({ from }) => isWithin(path, from));
  return mapping === undefined ? null : posix.join(mapping.to, path.slice(mapping.from.length));
}

/**
 * Whether an absolute path that no mapping covers means nothing in a container. A container's folder that one of the
 * mapped folders lies in, such as /opt with /opt/plone, is the machine's own here: what is beside is left behind, too.
 */
export function isLeftover(path: string, mappings: readonly Mapping[]): boolean {
  if (!/^\/[\w.~-]/.test(path)) return false;
  if (mappings.some(({ to }) => isWithin(path, to) && !holdsSource(to, mappings))) return false;
  return !CONTAINER_FOLDERS.some((folder) => isWithin(path, folder) && !holdsSource(folder, mappings));
}

function holdsSource(folder: string, mappings: readonly Mapping[]): boolean {
  return mappings.some(({ from }) => from !== folder && isWithin(from, folder));
}
