import { OciPloneError } from '../errors.ts';
import type { FolderNode, Node } from './tree.ts';

/** As many symbolic links as Linux follows in one look-up (MAXSYMLINKS). */
const MAX_LINKS = 40;

export interface Resolved {
  /** The absolute path after every link was followed. */
  readonly path: string;
  readonly node: Node;
}

/**
 * How many components may still be looked up. A tree may be made of links that lead through thousands of folders each, and
 * no signal is heard while they are followed.
 */
export interface Steps {
  left: number;
}

/** Forty links of PATH_MAX bytes are more than this; what people make is not. */
const MAX_STEPS = 10_000;

/**
 * Looks an absolute path up in a tree as a process in the container would: links are followed inside the tree, and `..`
 * never leaves its root. Null where nothing is there; INPUT_MALFORMED for a loop of links, and where `steps`, which several
 * look-ups may share, are used up.
 */
export function resolve(root: FolderNode, path: string, steps: Steps = { left: MAX_STEPS }): Resolved | null {
  /** The last one comes first. */
  const pending = components(path).reverse();
  const folders: { readonly name: string; readonly node: FolderNode }[] = [];
  let links = 0;
  let current: Node = root;
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (--steps.left < 0)
      throw new OciPloneError('INPUT_MALFORMED', `${path}: takes too many steps to be looked up in the image`);
    if (name === '..') {
      folders.pop();
      current = folders.at(-1)?.node ?? root;
      continue;
    }
    if (current.kind !== 'folder') return null;
    const node: Node | undefined = current.get(name);
    if (node === undefined) return null;
    if (node.kind === 'symlink') {
      if (++links > MAX_LINKS)
        throw new OciPloneError('INPUT_MALFORMED', `${path}: a loop of symbolic links in the image`);
      pending.push(...components(node.target).reverse());
      if (node.target.startsWith('/')) {
        folders.length = 0;
        current = root;
      }
      continue;
    }
    if (node.kind === 'folder') folders.push({ name, node });
    else if (pending.length > 0) return null;
    else return { path: absolute(folders, name), node };
    current = node;
  }
  return { path: absolute(folders), node: current };
}

function absolute(folders: readonly { readonly name: string }[], last?: string): string {
  const names = folders.map(({ name }) => name);
  return `/${(last === undefined ? names : [...names, last]).join('/')}`;
}

function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
