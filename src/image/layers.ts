import { OciPloneError } from '../errors.ts';
import type { Encoder } from '../layer/encoder.ts';
import type { NarInfo } from '../layer/nar.ts';
import { type PackedLayer, layerOf, packLayer } from '../layer/pack-layer.ts';
import { type LayerPlan, planLayers } from '../layer/plan.ts';
import { VERBATIM_RECIPE } from '../layer/recipe.ts';
import { type FolderNode, type Node, folder } from '../layer/tree.ts';
import type { Stage } from '../layout/stage.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { assertAsStored } from './check-store.ts';
import { TMP_MODE, withDefaults } from './defaults.ts';
import type { PackJob } from './options.ts';
import { PreviousImage } from './reuse.ts';
import type { RootFs } from './rootfs.ts';

/** Plans and packs the layers of a tree that has everything in it. */
export async function packPlanned(
  tree: FolderNode,
  root: RootFs,
  encoder: Encoder,
  job: PackJob,
  stage: Stage,
): Promise<PackedLayer[]> {
  let bytes = 0;
  const total = totalOf(root);
  const onBytes = (more: number): void => job.onProgress?.({ kind: 'pack', bytes: (bytes += more), total });
  // Now, and not before a build of minutes: another pack may have changed it meanwhile.
  const previous = await PreviousImage.of(job, stage);
  const layers: PackedLayer[] = [];
  // Where nothing is taken to be known, every path is read and hashed, and no layer is taken over.
  const known = job.checkStore ? new Map<string, NarInfo>() : root.known;
  const options = { encoder, known, onBytes, signal: job.signal };
  for (const plan of planLayers(tree, root.storePaths))
    layers.push(
      streamedLayer(plan, root, options) ??
        (await previous.take(plan, options, stage)) ??
        (await stage.writeBlob((sink) => packLayer(plan, { ...options, sink }))),
    );
  if (job.checkStore)
    assertAsStored(
      root.known,
      layers.flatMap(({ storePaths }) => storePaths),
    );
  return layers;
}

/** The layer of store paths that was written while an archive was read; null for any other. */
function streamedLayer(
  plan: LayerPlan,
  { streamed }: RootFs,
  options: Parameters<typeof layerOf>[2],
): PackedLayer | null {
  if (streamed === null || plan.storePaths.length === 0) return null;
  if (streamed.nars.size !== plan.storePaths.length)
    throw new Error('a layer of other store paths than the archive has');
  return layerOf(plan, streamed, options);
}

function totalOf({ known }: RootFs): number | null {
  if (known.size === 0) return null;
  return [...known.values()].reduce((sum, { narSize }) => sum + narSize, 0);
}

/** Keeps a `.tar.gz` as the first layer, byte for byte, and puts what the defaults add into a second one. */
export async function packVerbatim(
  root: RootFs,
  encoder: Encoder,
  { image, signal }: PackJob,
  stage: Stage,
): Promise<PackedLayer[]> {
  const { archive, tree } = root;
  if (archive?.format !== 'gzip' || archive.kept === null)
    throw new OciPloneError('USAGE', '"layers" verbatim expected a .tar.gz file as the input');
  const tmp = tree.get('tmp');
  if (tmp !== undefined && (tmp.kind !== 'folder' || tmp.mode !== TMP_MODE))
    throw new OciPloneError('INPUT_REFUSED', `${archive.where}: its /tmp is not a folder of mode 1777`, {
      hint: 'Leave --layers=verbatim out: then the mode is put right.',
    });

  const first: PackedLayer = {
    ...archive.kept,
    mediaType: MEDIA_TYPES.layerGzip,
    recipe: VERBATIM_RECIPE,
    storePaths: root.storePaths.map((path) => ({ path, narHash: null, narSize: null })),
    comment: `${root.storePaths.length} store paths, as they came`,
  };
  const added = additions(tree, withDefaults(folder([]), image));
  if (added === null) return [first];
  const plan = { storePaths: [], tree: added, comment: 'defaults' };
  const second = await stage.writeBlob((sink) => packLayer(plan, { encoder, known: new Map(), sink, signal }));
  return [first, second];
}

/** What of the defaults a tree lacks; folders that both have keep the tree's mode. Null where it lacks nothing. */
function additions(tree: FolderNode, defaults: FolderNode): FolderNode | null {
  const missing: [string, Node][] = [];
  for (const [name, node] of defaults.list()) {
    const there = tree.get(name);
    if (there === undefined) missing.push([name, node]);
    else if (there.kind === 'folder' && node.kind === 'folder') {
      const below = additions(there, node);
      if (below !== null) missing.push([name, { ...below, mode: there.mode }]);
    }
  }
  return missing.length === 0 ? null : folder(missing);
}
