import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import type { Encoder } from '../layer/encoder.ts';
import { bulkHash } from '../layer/hash.ts';
import type { NarInfo } from '../layer/nar.ts';
import type { PackedLayer } from '../layer/pack-layer.ts';
import type { LayerPlan } from '../layer/plan.ts';
import { recipeId } from '../layer/recipe.ts';
import { CHUNK_BYTES } from '../layer/tree.ts';
import type { LayoutImage } from '../layout/open.ts';
import type { Stage } from '../layout/stage.ts';
import { digestAlgorithm, digestHex, isDigest } from '../oci/digest.ts';
import type { PackJob } from './options.ts';
import { LAYER_ANNOTATION, type LayerRecord, parseLayerRecord } from './record.ts';

/** A layer of an image that is there already, with what its record says of it. */
interface Candidate {
  readonly descriptor: LayoutImage['manifest']['layers'][number];
  readonly record: LayerRecord;
}

/**
 * Layers that need not be packed, since the image that the output holds under this tag has them: the same store paths
 * with the same content, packed by the same recipe. Nothing of them is read but, once, the blob itself, whose digest is
 * checked. Where that image cannot be read, there are none.
 */
export class PreviousImage {
  readonly #folder: string;
  readonly #candidates: readonly Candidate[];

  private constructor(folder: string, candidates: readonly Candidate[]) {
    this.#folder = folder;
    this.#candidates = candidates;
  }

  static async of(
    { output, tag, signal }: Pick<PackJob, 'output' | 'tag' | 'signal'>,
    stage: Stage,
  ): Promise<PreviousImage> {
    if (output?.kind !== 'folder' || !existsSync(output.path)) return new PreviousImage('', []);
    const { withLayoutImage } = await import('../layout/open.ts');
    try {
      const options = { spoolFolder: stage.folder, signal };
      const candidates = await withLayoutImage(`${output.path}:${tag}`, options, async (image) => candidatesOf(image));
      return new PreviousImage(output.path, candidates);
    } catch (error) {
      if (error instanceof OciPloneError && error.code !== 'ABORTED') return new PreviousImage('', []);
      throw error;
    }
  }

  /** The planned layer, taken over into the stage; null where it has to be packed. */
  async take(
    plan: LayerPlan,
    { encoder, known }: { readonly encoder: Encoder; readonly known: ReadonlyMap<string, NarInfo> },
    stage: Stage,
  ): Promise<PackedLayer | null> {
    const recipe = recipeId(encoder);
    const { storePaths: paths, comment } = plan;
    if (paths.length === 0) return null;
    const storePaths = paths.map((path) => ({ path, narHash: null, narSize: null, ...known.get(path) }));
    const wanted = JSON.stringify(storePaths);
    for (const { descriptor, record } of this.#candidates) {
      const { mediaType, digest, size } = descriptor;
      const isSame =
        record.recipe === recipe && mediaType === encoder.mediaType && JSON.stringify(record.storePaths) === wanted;
      // What is not known of a path cannot be compared.
      if (!isSame || !record.storePaths.every(({ narHash }) => narHash !== null) || !isDigest(record.diffId)) continue;
      stage.adoptBlob(join(this.#folder, 'blobs', digestAlgorithm(digest), digestHex(digest)), digest);
      if ((await digestOfFile(stage.blobPath(digest))) !== digest) {
        stage.dropBlob(digest);
        continue;
      }
      return { mediaType, digest, size, diffId: record.diffId, recipe, storePaths, comment };
    }
    return null;
  }
}

function candidatesOf({ manifest, configBytes }: LayoutImage): readonly Candidate[] {
  const diffIds = diffIdsOf(configBytes);
  return manifest.layers.flatMap((descriptor, index) => {
    const record = parseLayerRecord(descriptor.annotations?.[LAYER_ANNOTATION]);
    return record === null || record.diffId !== diffIds[index] ? [] : [{ descriptor, record }];
  });
}

function diffIdsOf(configBytes: Uint8Array): readonly unknown[] {
  const config: { readonly rootfs?: { readonly diff_ids?: unknown } } = JSON.parse(
    new TextDecoder().decode(configBytes),
  );
  const diffIds = config.rootfs?.diff_ids;
  return Array.isArray(diffIds) ? diffIds : [];
}

async function digestOfFile(path: string): Promise<string> {
  const hash = bulkHash();
  for await (const piece of createReadStream(path, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Uint8Array>)
    hash.update(piece);
  return hash.digest();
}
