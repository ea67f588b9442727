import { basename, join } from 'node:path';
import { type Committed, commitToFolder } from '../layout/commit.ts';
import type { Stage } from '../layout/stage.ts';
import type { PackJob } from './options.ts';
import { type PackResult, type StagedImage, imageSize, layerResult } from './result.ts';

/** Brings a staged image to where the job wants it: a folder or an archive, and registries. */
export async function deliver(image: StagedImage, job: PackJob, stage: Stage): Promise<PackResult> {
  const committed = await commit(image, job, stage);
  const place = `${job.output?.path ?? stagedPath(stage)}:${job.tag}`;
  const pushed = await push(place, job);
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
}

async function push(place: string, job: PackJob): Promise<readonly string[]> {
  if (job.push.length === 0) return [];
  const { pushLayout } = await import('./push.ts');
  return (await pushLayout(place, job.push, job)).references;
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
  const { commitToArchive } = await import('../layout/archive.ts');
  await commitToArchive(stage, archived, { path: output.path, name: name === '' ? 'image' : name, tag, signal });
  return { unchanged: false };
}

/** Where an image that is only pushed is kept in the meantime. */
function stagedPath(stage: Stage): string {
  return join(stage.folder, 'pushed.oci');
}
