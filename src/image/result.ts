import type { PackedLayer } from '../layer/pack-layer.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';

/** What `pack` made; the JSON document of `oci-plone pack --json` is this object. */
export interface PackResult {
  /** The image's digest: the one of its manifest. */
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of manifest, config and layers together. */
  readonly size: number;
  /** Where the image can be had: `FOLDER:TAG` or `ARCHIVE:TAG`, and every reference it was pushed to. */
  readonly references: readonly string[];
  /** The layout's folder or the archive; null where the image was only pushed. */
  readonly layout: string | null;
  /** The layout held this very image under this tag before. */
  readonly unchanged: boolean;
  readonly config: { readonly digest: Digest; readonly size: number };
  readonly layers: readonly LayerResult[];
}

export interface LayerResult {
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly diffId: Digest;
  readonly mediaType: string;
  /** `/nix/store/…`, sorted. */
  readonly storePaths: readonly string[];
}

/** A packed image that is still in its stage. */
export interface StagedImage {
  readonly manifest: Descriptor;
  readonly config: Descriptor;
  readonly layers: readonly PackedLayer[];
}

export function imageSize({ manifest, config, layers }: StagedImage): number {
  return [manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0);
}

export function layerResult({ digest, size, diffId, mediaType, storePaths }: PackedLayer): LayerResult {
  return { digest, size, diffId, mediaType, storePaths: storePaths.map(({ path }) => path) };
}
