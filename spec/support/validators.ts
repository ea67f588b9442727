import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { missing } from './fixtures.ts';

const run = promisify(execFile);

/** A program of others that reads an image; `validate` rejects where it finds a fault. */
export interface Validator {
  readonly name: string;
  /** For node:test: false, or why it cannot run here. */
  readonly skip: string | false;
  /** `scratch` is an empty folder of its own. */
  readonly validate: (image: { readonly layout: string; readonly tag: string }, scratch: string) => Promise<unknown>;
}

const notRoot = process.geteuid?.() === 0 ? false : 'its storage needs root';

/** Storage of its own, so that nothing is left in this machine's. */
export function ownStorage(scratch: string): string[] {
  return ['--root', join(scratch, 'root'), '--runroot', join(scratch, 'run'), '--storage-driver', 'vfs'];
}

/** The table of shared/reference/image-format.md, as far as Debian has its programs. What each one sees is written there. */
export const VALIDATORS: readonly Validator[] = [
  {
    name: 'skopeo inspect',
    skip: missing('skopeo'),
    validate: ({ layout, tag }) => run('skopeo', ['inspect', `oci:${layout}:${tag}`]),
  },
  {
    name: 'skopeo inspect --config',
    skip: missing('skopeo'),
    validate: ({ layout, tag }) => run('skopeo', ['inspect', '--config', `oci:${layout}:${tag}`]),
  },
  {
    name: 'skopeo copy --all',
    skip: missing('skopeo'),
    validate: ({ layout, tag }, scratch) =>
      run('skopeo', ['--insecure-policy', 'copy', '--all', `oci:${layout}:${tag}`, `dir:${join(scratch, 'dir')}`]),
  },
  {
    name: 'umoci unpack --rootless',
    skip: missing('umoci'),
    validate: ({ layout, tag }, scratch) =>
      run('umoci', ['unpack', '--rootless', '--image', `${layout}:${tag}`, join(scratch, 'bundle')]),
  },
  {
    name: 'umoci stat',
    skip: missing('umoci'),
    validate: ({ layout, tag }) => run('umoci', ['stat', '--image', `${layout}:${tag}`]),
  },
  {
    name: 'buildah pull',
    skip: missing('buildah') || notRoot,
    validate: ({ layout, tag }, scratch) =>
      run('buildah', [...ownStorage(scratch), 'pull', '--policy', 'always', `oci:${layout}:${tag}`]),
  },
  {
    name: 'oci-image-tool validate',
    skip: missing('oci-image-tool'),
    validate: ({ layout, tag }) =>
      run('oci-image-tool', ['validate', '--type', 'image', '--ref', `name=${tag}`, layout]),
  },
];
