import { OciPloneError } from '../errors.ts';
import { DEFAULT_LIMITS } from '../layer/archive-limits.ts';
import { diskTree } from '../layer/disk-tree.ts';
import { bulkHash } from '../layer/hash.ts';
import { readArchive } from '../layer/read-archive.ts';
import { statInput } from '../layer/stat-input.ts';
import type { FileNode, FolderNode } from '../layer/tree.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestAlgorithm, digestHex } from '../oci/digest.ts';
import { matchesDigest } from '../oci/document-digest.ts';
import { MAX_DOCUMENT_BYTES, type Manifest, parseIndex, parseManifest } from '../oci/manifest.ts';
import { isManifestType } from '../oci/media-types.ts';
import { isTag } from '../oci/reference.ts';
import { REF_NAME, parseLayoutMarker } from './format.ts';

/** One image of a layout, its small documents read and their digests checked. */
export interface LayoutImage {
  /** The folder or archive. */
  readonly path: string;
  readonly tag: string | null;
  readonly descriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
  readonly configBytes: Uint8Array;
  /** A blob's bytes. Ends with DIGEST_MISMATCH where they are not what the descriptor names. */
  readBlob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
}

export interface OpenOptions {
  /** Where an archive that is compressed is unpacked to. */
  readonly spoolFolder: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens an image of a layout folder or of an archive that holds one, for the time of `use`. `DIR:TAG` selects; a layout
 * of several references without a tag is a USAGE error. Throws INPUT_ABSENT, INPUT_MALFORMED and DIGEST_MISMATCH.
 */
export async function withLayoutImage<T>(
  name: string,
  options: OpenOptions,
  use: (image: LayoutImage) => Promise<T>,
): Promise<T> {
  const { path, tag } = splitName(name);
  const { tree, close } = await openTree(path, options);
  try {
    return await use(imageIn(tree, path, tag));
  } finally {
    close();
  }
}

/** `DIR:TAG` or `DIR`; a folder whose own name has a colon is taken whole. */
function splitName(name: string): { readonly path: string; readonly tag: string | null } {
  const colon = name.lastIndexOf(':');
  const tag = name.slice(colon + 1);
  if (statInput(name) === undefined && colon > 0 && isTag(tag)) return { path: name.slice(0, colon), tag };
  return { path: name, tag: null };
}

async function openTree(
  path: string,
  { spoolFolder, signal }: OpenOptions,
): Promise<{ readonly tree: FolderNode; readonly close: () => void }> {
  const stats = statInput(path);
  if (stats === undefined) throw new OciPloneError('INPUT_ABSENT', `${path}: no such image layout`);
  const hint = 'Give the folder or the *.tar that "oci-plone pack" wrote, or another image layout.';
  if (!stats.isDirectory()) return readArchive(path, { limits: DEFAULT_LIMITS, hint, spoolFolder, signal });
  const tree = diskTree(path);
  if (tree.kind !== 'folder') throw new OciPloneError('INPUT_MALFORMED', `${path}: a link, not an image layout`);
  return { tree, close: () => undefined };
}

function imageIn(tree: FolderNode, path: string, tag: string | null): LayoutImage {
  parseLayoutMarker(document(fileAt(tree, ['oci-layout'], path), path), path);
  const index = parseIndex(document(fileAt(tree, ['index.json'], path), path), `${path}/index.json`);
  const descriptor = select(index.manifests, path, tag);
  const manifestBytes = checkedDocument(tree, descriptor, path);
  const manifest = parseManifest(manifestBytes, `${path}, manifest ${descriptor.digest}`);
  return {
    path,
    tag: descriptor.annotations?.[REF_NAME] ?? null,
    descriptor,
    manifestBytes,
    manifest,
    configBytes: checkedDocument(tree, manifest.config, path),
    readBlob: (blob) => checkedBlob(tree, blob, path),
  };
}

function select(manifests: readonly Descriptor[], path: string, tag: string | null): Descriptor {
  const named = tag === null ? manifests : manifests.filter(({ annotations }) => annotations?.[REF_NAME] === tag);
  const tags = manifests.map(({ annotations, digest }) => annotations?.[REF_NAME] ?? digest).join(', ');
  const [image] = named;
  if (image === undefined)
    throw new OciPloneError(
      'INPUT_ABSENT',
      `${path}: ${tag === null ? 'holds no image' : `has no reference "${tag}"`}`,
      {
        hint: tags === '' ? '' : `It has: ${tags}.`,
      },
    );
  if (named.length > 1)
    throw new OciPloneError('USAGE', `${path}: holds several references`, {
      hint: `Name one of them as ${path}:TAG: ${tags}.`,
    });
  if (!isManifestType(image.mediaType))
    throw new OciPloneError('INPUT_MALFORMED', `${path}: expected an image manifest, got ${image.mediaType}`);
  return image;
}

function blobFile(tree: FolderNode, { digest, size }: Descriptor, path: string): FileNode {
  const node = fileAt(tree, ['blobs', digestAlgorithm(digest), digestHex(digest)], path);
  if (node.size !== size) throw mismatch(path, `blob ${digest}: expected ${size} bytes, got ${node.size}`);
  return node;
}

function checkedDocument(tree: FolderNode, descriptor: Descriptor, path: string): Uint8Array {
  const bytes = document(blobFile(tree, descriptor, path), `${path}, blob ${descriptor.digest}`);
  if (!matchesDigest(bytes, descriptor.digest)) throw mismatch(path, `blob ${descriptor.digest} has other content`);
  return bytes;
}

async function* checkedBlob(tree: FolderNode, descriptor: Descriptor, path: string): AsyncGenerator<Uint8Array> {
  if (digestAlgorithm(descriptor.digest) !== 'sha256')
    throw new OciPloneError('INPUT_MALFORMED', `${path}: a layer named by ${descriptor.digest}; only sha256 is read`);
  const hash = bulkHash();
  for (const piece of blobFile(tree, descriptor, path).read()) {
    hash.update(piece);
    // The next piece is read into the same memory, and whoever takes this one may still be sending it.
    yield Uint8Array.from(piece);
    await Promise.resolve();
  }
  const actual = hash.digest();
  if (actual !== descriptor.digest) throw mismatch(path, `blob: expected ${descriptor.digest}, got ${actual}`);
}

/** A regular file below the layout's own folder; links are not followed, wherever they lead. */
function fileAt(tree: FolderNode, names: readonly string[], path: string): FileNode {
  let node = tree.get(names[0] ?? '');
  for (const name of names.slice(1)) node = node?.kind === 'folder' ? node.get(name) : undefined;
  if (node?.kind === 'file') return node;
  throw new OciPloneError('INPUT_MALFORMED', `${path}: not a complete image layout: ${names.join('/')} is not there`);
}

function document(node: FileNode, where: string): Uint8Array {
  if (node.size > MAX_DOCUMENT_BYTES)
    throw new OciPloneError(
      'INPUT_MALFORMED',
      `${where}: expected at most ${MAX_DOCUMENT_BYTES} bytes, got ${node.size}`,
    );
  return Buffer.concat([...node.read()].map((piece) => Uint8Array.from(piece)));
}

function mismatch(path: string, what: string): OciPloneError {
  return new OciPloneError('DIGEST_MISMATCH', `${path}: ${what}`, {
    hint: 'The layout is damaged: pack it again.',
  });
}
