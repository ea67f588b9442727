import type { Digest } from '../oci/digest.ts';
import { type BlobSink, BlobWriter } from './blob.ts';
import type { Encoder } from './encoder.ts';
import type { NarInfo } from './nar.ts';
import type { LayerPlan } from './plan.ts';
import { recipeId } from './recipe.ts';
import { writeTar } from './tar.ts';

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

export interface PackLayerOptions {
  readonly encoder: Encoder;
  /** What Nix knows of store paths; of all others the NAR's hash is computed while the layer is written. */
  readonly known: ReadonlyMap<string, NarInfo>;
  readonly sink: BlobSink;
  readonly onBytes?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a planned layer as a blob (image specification, layer.md). */
export async function packLayer(plan: LayerPlan, options: PackLayerOptions): Promise<PackedLayer> {
  const { encoder, known, sink, onBytes, signal } = options;
  const blob = new BlobWriter(encoder, sink);
  const write = (piece: Uint8Array): void => {
    blob.write(piece);
    onBytes?.(piece.length);
  };
  const unknown = plan.storePaths.filter((path) => !known.has(path)).map((path) => path.slice(1));
  const hashed = new Set(unknown);
  const computed = await writeTar(plan.tree, { write, ready: () => blob.ready(), hashed, signal });
  const storePaths = plan.storePaths.map((path) => {
    const nar = known.get(path) ?? computed.get(path.slice(1));
    return { path, narHash: nar?.narHash ?? null, narSize: nar?.narSize ?? null };
  });
  const { comment } = plan;
  const recipe = recipeId(encoder);
  return { mediaType: encoder.mediaType, ...(await blob.finish()), recipe, storePaths, comment };
}
