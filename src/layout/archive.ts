import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { localError } from '../errors.ts';
import { diskTree } from '../layer/disk-tree.ts';
import { PLAIN } from '../layer/encoder.ts';
import { writeBlob } from '../layer/pack-layer.ts';
import { type FolderNode, file, folder } from '../layer/tree.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { canonicalJson } from '../oci/json.ts';
import { indexDocument } from '../oci/manifest.ts';
import { layoutMarker, withRefName } from './format.ts';
import type { Stage } from './stage.ts';

export interface ArchiveTarget {
  readonly path: string;
  /** Without registry and tag; only `docker load` and podman see it. */
  readonly name: string;
  readonly tag: string;
  readonly signal?: AbortSignal | undefined;
}

export interface ArchivedImage {
  readonly image: Descriptor;
  readonly config: Digest;
  readonly layers: readonly Digest[];
}

/**
 * Writes a stage's image as one file that is an OCI archive and a docker-archive at once: the layout, and beside it the
 * manifest.json that `docker load` before version 25 wants (moby#44162).
 */
export async function commitToArchive(stage: Stage, archived: ArchivedImage, target: ArchiveTarget): Promise<void> {
  const tree = archiveTree(stage, archived, target);
  const { path } = await stage.writeTemporary((sink) =>
    writeBlob(tree, { encoder: PLAIN, sink, signal: target.signal }),
  );
  try {
    renameSync(path, target.path);
  } catch (error) {
    throw localError(`cannot write ${target.path}`, error);
  }
}

function archiveTree(stage: Stage, { image, config, layers }: ArchivedImage, { name, tag }: ArchiveTarget): FolderNode {
  const blobs = diskTree(join(stage.layout, 'blobs'));
  const fullName = `docker.io/library/${name}:${tag}`;
  const docker = [{ Config: place(config), RepoTags: [fullName], Layers: layers.map(place) }];
  return folder([
    ['oci-layout', file(layoutMarker())],
    ['index.json', file(indexDocument([withRefName(image, tag, fullName)]))],
    ['manifest.json', file(canonicalJson(docker))],
    ['blobs', blobs],
  ]);
}

function place(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}
