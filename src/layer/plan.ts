import { type FolderNode, withNode } from './tree.ts';

/** Which part of the image one layer holds. */
export interface LayerPlan {
  /** `/nix/store/…` paths that are whole in this layer, sorted. */
  readonly storePaths: readonly string[];
  readonly tree: FolderNode;
  /** What the image's history says of it. */
  readonly comment: string;
}

const STORE = ['nix', 'store'];

/**
 * Decides what goes into which layer: the store paths into one, whose bytes follow from them alone, and into a small one
 * after it all that makes them an image: /app, /etc, /tmp, volumes. Packing only carries a plan out.
 */
export function planLayers(root: FolderNode, storePaths: readonly string[]): readonly LayerPlan[] {
  if (storePaths.length === 0) return [{ storePaths, tree: root, comment: 'files' }];
  const names = new Set(storePaths.map((path) => path.slice('/nix/store/'.length)));
  const isPath = (name: string): boolean => names.has(name);
  const paths = within(within(kept(root, only('nix')), ['nix'], only('store')), STORE, isPath);
  const rest = withoutEmpty(
    within(root, STORE, (name) => !isPath(name)),
    STORE,
  );
  const closure = { storePaths, tree: paths, comment: `${storePaths.length} store paths` };
  return isEmpty(rest) ? [closure] : [closure, { storePaths: [], tree: rest, comment: 'files beside the store' }];
}

function only(one: string): (name: string) => boolean {
  return (name) => name === one;
}

/** The same tree with fewer names in one of its folders. */
function within(root: FolderNode, path: readonly string[], keep: (name: string) => boolean): FolderNode {
  return withNode(root, path, (node) => {
    if (node?.kind !== 'folder') throw new Error(`a tree with store paths has no folder ${path.join('/')}`);
    return kept(node, keep);
  });
}

/** The same folder with fewer names in it. */
function kept(node: FolderNode, keep: (name: string) => boolean): FolderNode {
  return {
    ...node,
    get: (name) => (keep(name) ? node.get(name) : undefined),
    *list() {
      for (const entry of node.list()) if (keep(entry[0])) yield entry;
    },
  };
}

/** Leaves out the folders of a path that have nothing in them, from the last one on. */
function withoutEmpty(root: FolderNode, path: readonly string[]): FolderNode {
  const [name = '', ...rest] = path;
  const node = root.get(name);
  if (node?.kind !== 'folder') return root;
  const below = rest.length === 0 ? node : withoutEmpty(node, rest);
  return isEmpty(below) ? kept(root, (other) => other !== name) : withNode(root, [name], () => below);
}

function isEmpty(node: FolderNode): boolean {
  return node.list()[Symbol.iterator]().next().done === true;
}
