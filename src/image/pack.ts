import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { commitToArchive } from '../layout/archive.ts';
import { type Committed, assertUsable, commitToFolder } from '../layout/commit.ts';
import { Stage } from '../layout/stage.ts';
import { type Encoder, assertEncoder, withEncoder } from '../layer/encoder.ts';
import type { FolderNode } from '../layer/tree.ts';
import { DEFAULT_PLATFORM, type Platform, formatPlatform } from '../oci/platform.ts';
import { assemble } from './assemble.ts';
import type { BakedInstance } from './baked-instance.ts';
import { environment, withDefaults } from './defaults.ts';
import { entrypointFile, imagePlatform } from './entrypoint.ts';
import { withBuildoutInput } from './from-buildout.ts';
import { packPlanned, packVerbatim } from './layers.ts';
import { type PackJob, type PackOptions, packJob } from './options.ts';
import { pushJob } from './push.ts';
import { type PackResult, type StagedImage, imageSize, layerResult } from './result.ts';
import { type RootFs, withRootFs } from './rootfs.ts';

/**
 * Packs a buildout, a Nix expression, a store path or an archive into an OCI image, and returns the image's digest. Writes
 * a layout folder or an archive, pushes where asked to, prints nothing.
 *
 * @throws OciPloneError; its code says what failed. Nothing half-written stays.
 */
export async function pack(options: PackOptions): Promise<PackResult> {
  return withBuildoutInput(options, checkedJob, packChecked);
}

function checkedJob(options: PackOptions, instance: BakedInstance | null): PackJob {
  const job = packJob(options, instance);
  assertEncoder(job.compression);
  if (job.output?.kind === 'folder') assertUsable(job.output.path);
  return job;
}

async function packChecked(job: PackJob): Promise<PackResult> {
  const stage = Stage.open(job.output?.path ?? join(tmpdir(), 'image'));
  try {
    const image = await withEncoder(job.compression, job.encoder, (encoder) => {
      // Where an image is there, it may have all that is needed.
      const onBuilt = (): void => {
        if (job.output?.kind !== 'folder' || !existsSync(job.output.path)) encoder.start();
      };
      return withRootFs({ ...job, onBuilt }, stage, (root) => packImage(root, encoder, job, stage));
    });
    const committed = await commit(image, job, stage);
    const place = `${job.output?.path ?? stagedPath(stage)}:${job.tag}`;
    const pushed = await pushJob(place, job);
    return {
      digest: image.manifest.digest,
      mediaType: image.manifest.mediaType,
      size: imageSize(image),
      references: job.output === null ? pushed : [place, ...pushed],
      layout: job.output?.path ?? null,
      unchanged: committed.unchanged,
      config: { digest: image.config.digest, size: image.config.size },
      layers: image.layers.map(layerResult),
    };
  } finally {
    stage.close();
  }
}

async function packImage(root: RootFs, encoder: Encoder, job: PackJob, stage: Stage): Promise<StagedImage> {
  const tree = withDefaults(root.tree, job.image);
  const env = environment(tree, job.image);
  const platform = await platformOf({ tree, env }, root, job);
  const layers =
    job.layers === 'verbatim'
      ? await packVerbatim(root, encoder, job, stage)
      : await packPlanned(tree, root, encoder, job, stage);
  root.archive?.assertUnchanged();
  return assemble({ env, platform, layers, unsandboxed: root.unsandboxed }, job, stage);
}

async function platformOf(
  { tree, env }: { readonly tree: FolderNode; readonly env: readonly string[] },
  { system }: RootFs,
  { image, onProgress }: PackJob,
): Promise<Platform> {
  const [program] = image.entrypoint;
  const entrypoint = program === undefined ? null : entrypointFile(tree, program, { env, workdir: image.workdir });
  const platform = await imagePlatform({ asked: image.platform, entrypoint, system });
  if (platform !== null) return platform;
  onProgress?.({
    kind: 'note',
    text: `nothing in the input names a platform: taking ${formatPlatform(DEFAULT_PLATFORM)} (--platform sets it)`,
  });
  return DEFAULT_PLATFORM;
}

async function commit(image: StagedImage, { output, tag, signal }: PackJob, stage: Stage): Promise<Committed> {
  const folder = output === null ? stagedPath(stage) : output.path;
  if (output?.kind !== 'archive') return commitToFolder(stage, image.manifest, { folder, tag, signal });
  const archived = {
    image: image.manifest,
    config: image.config.digest,
    layers: image.layers.map(({ digest }) => digest),
  };
  const name = basename(output.path)
    .replace(/(\.oci)?\.tar$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  await commitToArchive(stage, archived, { path: output.path, name: name === '' ? 'image' : name, tag, signal });
  return { unchanged: false };
}

/** Where an image that is only pushed is kept in the meantime. */
function stagedPath(stage: Stage): string {
  return join(stage.folder, 'pushed.oci');
}
