import type { FileNode, FolderNode, SymlinkNode } from './tree.ts';

/** A step of a depth-first walk: parents come before their children, names in the order of their bytes. */
export type Step =
  | { readonly kind: 'enter'; readonly path: string; readonly name: string; readonly node: FolderNode }
  | { readonly kind: 'leave'; readonly path: string }
  | { readonly kind: 'leaf'; readonly path: string; readonly name: string; readonly node: FileNode | SymlinkNode };

/** What a tar and a NAR have of a step. */
export type BareStep =
  | { readonly kind: 'enter'; readonly path: string; readonly name: string; readonly node: BareFolder }
  | { readonly kind: 'leave'; readonly path: string }
  | { readonly kind: 'leaf'; readonly path: string; readonly name: string; readonly node: BareFile | SymlinkNode };

export type BareFolder = Pick<FolderNode, 'kind' | 'mode' | 'owner'>;
export type BareFile = Pick<FileNode, 'kind' | 'mode' | 'size'>;

/**
 * Walks below a root, which itself is not a step. Paths have neither a leading nor a trailing slash. Without recursion: a
 * path of 4 KiB may be 2,000 folders deep, which is more than the call stack holds.
 */
export function* walk(root: FolderNode): Generator<Step> {
  const open = [{ path: '', children: root.list()[Symbol.iterator]() }];
  try {
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      const next = folder.children.next();
      if (next.done === true) {
        open.pop();
        if (open.length > 0) yield { kind: 'leave', path: folder.path };
        continue;
      }
      const [name, node] = next.value;
      const path = folder.path === '' ? name : `${folder.path}/${name}`;
      if (node.kind === 'folder') {
        yield { kind: 'enter', path, name, node };
        open.push({ path, children: node.list()[Symbol.iterator]() });
      } else yield { kind: 'leaf', path, name, node };
    }
  } finally {
    // Whoever stops early has a file of the last one open.
    for (const { children } of open) children.return?.();
  }
}
