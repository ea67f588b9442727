import { relative } from 'node:path';

/** A path as it is shown: from the folder the user is in, where it lies below that. */
export function shownPath(path: string): string {
  const near = relative('.', path);
  return near.startsWith('..') ? path : near;
}
