import type { Digest } from '../oci/digest.ts';
import { type BlobSink, BlobWriter, type PackedBlob } from './blob.ts';
import type { Encoder } from './encoder.ts';
import type { NarInfo } from './nar.ts';
import type { LayerPlan } from './plan.ts';
import { recipeId } from './recipe.ts';
import { writeTar } from './tar.ts';
import type { FolderNode } from './tree.ts';

/** What is known of a store path; both are null where it was not read as one, in a layer that is kept verbatim. */
export interface StorePathInfo {
  readonly path: string;
  readonly narHash: Digest | null;
  /** Bytes of the path's NAR. */
  readonly narSize: number | null;
}

export interface PackedLayer {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly diffId: Digest;
  readonly recipe: string;
  readonly storePaths: readonly StorePathInfo[];
  readonly comment: string;
}

export interface WriteBlobOptions {
  readonly encoder: Encoder;
  readonly sink: BlobSink;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PackLayerOptions extends WriteBlobOptions {
  /** What Nix knows of store paths; of all others the NAR's hash is computed while the layer is written. */
  readonly known: ReadonlyMap<string, NarInfo>;
}

/** Writes a planned layer as a blob (image specification, layer.md). */
export async function packLayer(plan: LayerPlan, options: PackLayerOptions): Promise<PackedLayer> {
  const { encoder, known } = options;
  const unknown = plan.storePaths.filter((path) => !known.has(path)).map((path) => path.slice(1));
  return layerOf(plan, await writeBlob(plan.tree, options, new Set(unknown)), { encoder, known });
}

/** Describes a planned layer by what was written. */
export function layerOf(
  plan: LayerPlan,
  { nars, ...blob }: PackedBlob & { readonly nars: ReadonlyMap<string, NarInfo> },
  { encoder, known }: Pick<PackLayerOptions, 'encoder' | 'known'>,
): PackedLayer {
  const storePaths = plan.storePaths.map((path) => {
    const nar = known.get(path) ?? nars.get(path.slice(1));
    return { path, narHash: nar?.narHash ?? null, narSize: nar?.narSize ?? null };
  });
  const { comment } = plan;
  return { mediaType: encoder.mediaType, ...blob, recipe: recipeId(encoder), storePaths, comment };
}

/** Writes a tree as an encoded tar, and computes the NAR hashes of the paths asked for. */
export async function writeBlob(
  tree: FolderNode,
  { encoder, sink, onBytes, signal }: WriteBlobOptions,
  hashed: ReadonlySet<string> = new Set(),
): Promise<PackedBlob & { readonly nars: ReadonlyMap<string, NarInfo> }> {
  const blob = new BlobWriter(encoder, sink, onBytes);
  const nars = await writeTar(tree, blob, { hashed, signal });
  return { ...(await blob.finish()), nars };
}
