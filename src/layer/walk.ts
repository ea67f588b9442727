import type { FileNode, FolderNode, Node, SymlinkNode } from './tree.ts';

/** A step of a depth-first walk: parents come before their children, names in the order of their bytes. */
export type Step =
  | { readonly kind: 'enter'; readonly path: string; readonly name: string; readonly node: FolderNode }
  | { readonly kind: 'leave'; readonly path: string }
  | { readonly kind: 'leaf'; readonly path: string; readonly name: string; readonly node: FileNode | SymlinkNode };

/** Walks below a root, which itself is not a step. Paths have neither a leading nor a trailing slash. */
export function* walk(root: FolderNode, prefix = ''): Generator<Step> {
  for (const [name, node] of root.list()) yield* stepsOf(prefix === '' ? name : `${prefix}/${name}`, name, node);
}

function* stepsOf(path: string, name: string, node: Node): Generator<Step> {
  if (node.kind !== 'folder') {
    yield { kind: 'leaf', path, name, node };
    return;
  }
  yield { kind: 'enter', path, name, node };
  yield* walk(node, path);
  yield { kind: 'leave', path };
}
