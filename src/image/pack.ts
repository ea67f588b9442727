import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Encoder, assertEncoder, openEncoder } from '../layer/encoder.ts';
import { assertUsable } from '../layout/output-folder.ts';
import { Stage } from '../layout/stage.ts';
import type { BakedInstance } from './baked-instance.ts';
import { withBuildoutInput } from './from-buildout.ts';
import { type PackJob, type PackOptions, packJob } from './options.ts';
import type * as PackImage from './pack-image.ts';
import type { PackResult } from './result.ts';
import { type RootFsJob, withRootFs } from './rootfs.ts';

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
    const image = await withPacking(job, (packing) =>
      withRootFs({ ...job, ...readyFor(job, packing) }, stage, async (root) => {
        const { encoder, packImage } = await packing();
        return packImage(root, encoder, job, stage);
      }),
    );
    const { deliver } = await import('./deliver.ts');
    return await deliver(image, job, stage);
  } finally {
    stage.close();
  }
}

function readyFor(job: PackJob, packing: OpenPacking): Pick<RootFsJob, 'meanwhile' | 'openEncoder'> {
  // A volume there would be in the layer of the store.
  const isStoreSettled = !job.image.volumes.some((path) => /^\/+nix(\/|$)/.test(path));
  return {
    meanwhile: () => packing('much'),
    openEncoder: isStoreSettled ? async () => (await packing()).encoder : undefined,
  };
}

interface Packing {
  readonly encoder: Encoder;
  readonly packImage: typeof PackImage.packImage;
  readonly close: () => Promise<void>;
}

/** Opens it once, and gets ready at once where much is expected. */
type OpenPacking = (expected?: 'much') => Promise<Packing>;

/** What packs takes as long to load as what asks Nix, which need not wait for it: it is there when it is first asked for. */
async function withPacking<T>(job: PackJob, use: (packing: OpenPacking) => Promise<T>): Promise<T> {
  let opened = null as Promise<Packing> | null;
  try {
    return await use((expected) => (opened ??= openPacking(job, expected)));
  } finally {
    if (opened !== null) await (await opened).close();
  }
}

async function openPacking({ compression, encoder, output }: PackJob, expected?: 'much'): Promise<Packing> {
  const opened = await openEncoder(compression, encoder);
  // Where an image is there, it may have all that is needed.
  if (expected === 'much' && (output?.kind !== 'folder' || !existsSync(output.path))) opened.encoder.start();
  const { packImage } = await import('./pack-image.ts');
  return { packImage, ...opened };
}
