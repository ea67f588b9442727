import type { FolderNode } from './tree.ts';

/** Which part of the image one layer holds. */
export interface LayerPlan {
  /** `/nix/store/…` paths that are whole in this layer, sorted. */
  readonly storePaths: readonly string[];
  readonly tree: FolderNode;
  /** What the image's history says of it. */
  readonly comment: string;
}

/** Decides what goes into which layer: for now all of it into one. Packing only carries a plan out. */
export function planLayers(root: FolderNode, storePaths: readonly string[]): readonly LayerPlan[] {
  return [{ storePaths, tree: root, comment: `${storePaths.length} store paths` }];
}
