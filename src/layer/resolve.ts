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
 * Looks an absolute path up in a tree as a process in the container would: links are followed inside the tree, and `..`
 * never leaves its root. Null where nothing is there; INPUT_MALFORMED for a loop of links.
 */
export function resolve(root: FolderNode, path: string): Resolved | null {
  let pending = components(path);
  const folders: { readonly name: string; readonly node: FolderNode }[] = [];
  let links = 0;
  let current: Node = root;
  while (pending.length > 0) {
    const [name = '', ...rest] = pending;
    pending = rest;
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
      pending = [...components(node.target), ...rest];
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
