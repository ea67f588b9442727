import type { Encoder } from '../layer/encoder.ts';
import type { FolderNode } from '../layer/tree.ts';
import type { Stage } from '../layout/stage.ts';
import { DEFAULT_PLATFORM, type Platform, formatPlatform } from '../oci/platform.ts';
import { assemble } from './assemble.ts';
import { environment, withDefaults } from './defaults.ts';
import { entrypointFile, imagePlatform } from './entrypoint.ts';
import { packPlanned, packVerbatim } from './layers.ts';
import type { PackJob } from './options.ts';
import type { StagedImage } from './result.ts';
import type { RootFs } from './rootfs.ts';

/** Makes an image of a root file system: its layers, config and manifest, as blobs of a stage. */
export async function packImage(root: RootFs, encoder: Encoder, job: PackJob, stage: Stage): Promise<StagedImage> {
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
