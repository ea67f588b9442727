import { readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { localError, systemCode } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { indexDocument, parseIndex } from '../oci/manifest.ts';
import { withLock } from './lock.ts';
import { REF_NAME, layoutMarker, parseLayoutMarker, withRefName } from './format.ts';
import { isNew } from './output-folder.ts';
import { reachable } from './reachable.ts';
import { type Stage, besidePrefix } from './stage.ts';

export interface CommitOptions {
  /** The layout's folder. */
  readonly folder: string;
  readonly tag: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Committed {
  /** The layout held this very image under this tag before. */
  readonly unchanged: boolean;
}

/**
 * Makes a stage's image appear in a layout folder under a tag. A new layout comes by one rename; one that is there gets
 * the blobs first, then its index by one rename, then loses what no reference needs any more. A kill at any moment leaves
 * a valid layout, or none; the next commit clears up.
 */
export async function commitToFolder(stage: Stage, image: Descriptor, options: CommitOptions): Promise<Committed> {
  const { folder, tag, signal } = options;
  const lock = join(dirname(folder), `${besidePrefix(folder)}.lock`);
  return withLock(lock, { temporary: stage.temporary(), signal }, async () => {
    try {
      return isNew(folder) ? create(stage, image, folder, tag) : update(stage, image, folder, tag);
    } catch (error) {
      throw localError(`cannot write the layout ${folder}`, error);
    }
  });
}

function create(stage: Stage, image: Descriptor, folder: string, tag: string): Committed {
  stage.writeFile(join(stage.layout, 'oci-layout'), layoutMarker());
  stage.writeFile(join(stage.layout, 'index.json'), indexDocument([withRefName(image, tag)]));
  renameSync(stage.layout, folder);
  return { unchanged: false };
}

function update(stage: Stage, image: Descriptor, folder: string, tag: string): Committed {
  parseLayoutMarker(readFileSync(join(folder, 'oci-layout')), folder);
  const index = parseIndex(readFileSync(join(folder, 'index.json')), join(folder, 'index.json'));
  const replaced = index.manifests.find((manifest) => manifest.annotations?.[REF_NAME] === tag);
  const others = index.manifests.filter((manifest) => manifest.annotations?.[REF_NAME] !== tag);

  const blobs = join(folder, 'blobs', 'sha256');
  // First of all, since a reference that cannot be read must stop this before anything changed.
  const kept = reachable(others, readerOf(blobs));
  for (const name of readdirSync(join(stage.layout, 'blobs', 'sha256')))
    renameSync(join(stage.layout, 'blobs', 'sha256', name), join(blobs, name));
  stage.writeFile(join(folder, 'index.json'), indexDocument([...others, withRefName(image, tag)]));
  const needed = new Set([...kept, ...reachable([image], readerOf(blobs))]);
  for (const name of readdirSync(blobs)) if (!needed.has(name)) rmSync(join(blobs, name));
  return { unchanged: replaced?.digest === image.digest };
}

function readerOf(blobs: string): (digest: Digest) => Uint8Array | null {
  return (digest) => {
    try {
      return readFileSync(join(blobs, digestHex(digest)));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    }
  };
}
