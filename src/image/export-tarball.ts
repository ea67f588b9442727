import { renameSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { localError } from '../errors.ts';
import { writeBlob } from '../layer/pack-layer.ts';
import { type Encoder, PLAIN, withEncoder } from '../layer/encoder.ts';
import { Stage } from '../layout/stage.ts';
import type { Digest } from '../oci/digest.ts';
import { assertAsStored } from './check-store.ts';
import { withDefaults } from './defaults.ts';
import { withBuildoutInput } from './from-buildout.ts';
import { type PackJob, type PackOptions, packJob, usage } from './options.ts';
import { withRootFs } from './rootfs.ts';

/** Pack's own options, without those that only an image has a use for. */
export interface TarballOptions extends Omit<PackOptions, 'output' | 'push' | 'tag' | 'compression' | 'layers'> {
  /** `*.nix.tar` or `*.nix.tar.gz`. */
  readonly output: string;
}

export interface TarballResult {
  /** The file's own sha256. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The sha256 of the tar before it was compressed: the diff_id of the layer that packing it gives. */
  readonly diffId: Digest;
  readonly tarball: string;
  /** `/nix/store/…`, sorted. */
  readonly storePaths: readonly string[];
}

/** Whether an output's name asks for the article's tarball. */
export function isTarballName(output: string): boolean {
  return /\.nix\.tar(\.gz)?$/.test(output);
}

/**
 * Writes what the image would hold as one tarball, the link in the middle of the article's way: /nix, /app and the
 * defaults. Its bytes depend on nothing but the content and the encoder.
 *
 * @throws OciPloneError
 */
export async function exportTarball(options: TarballOptions): Promise<TarballResult> {
  if (!isTarballName(options.output)) throw usage('output', 'a *.nix.tar or *.nix.tar.gz', options.output);
  const { output, ...rest } = options;
  const unused = `${basename(output)}.oci`;
  return withBuildoutInput({ ...rest, output: unused }, packJob, (job) => exportJob(job, resolve(output)));
}

async function exportJob(job: PackJob, output: string): Promise<TarballResult> {
  const stage = Stage.open(output);
  try {
    return await withRootFs(job, stage, async (root) => {
      const tree = withDefaults(root.tree, job.image);
      const hashed = new Set(job.checkStore ? root.storePaths.map((path) => path.slice(1)) : []);
      const { path, result } = await stage.writeTemporary((sink) => {
        const write = (encoder: Encoder): ReturnType<typeof writeBlob> =>
          writeBlob(tree, { encoder, sink, signal: job.signal }, hashed);
        return output.endsWith('.gz') ? withEncoder('gzip', job.encoder, write) : write(PLAIN);
      });
      const read = Array.from(result.nars, ([name, nar]) => ({ path: `/${name}`, ...nar }));
      if (job.checkStore) assertAsStored(root.known, read);
      root.archive?.assertUnchanged();
      moveTo(output, path);
      const { digest, size, diffId } = result;
      return { digest, size, diffId, tarball: output, storePaths: root.storePaths };
    });
  } finally {
    stage.close();
  }
}

function moveTo(output: string, temporary: string): void {
  try {
    renameSync(temporary, output);
  } catch (error) {
    throw localError(`cannot write ${output}`, error);
  }
}
