import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Header, extract, pack as packTar } from 'tar-stream';

const run = promisify(execFile);

export interface Entry {
  readonly name: string;
  readonly type?: Header['type'];
  readonly mode?: number;
  readonly content?: string | Uint8Array;
  readonly linkname?: string;
}

/** A tar of these entries, in this order. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = packTar();
  for (const { name, type = 'file', mode = type === 'directory' ? 0o755 : 0o644, content = '', linkname } of entries) {
    const header = { name, type, mode, mtime: new Date(0), ...(linkname === undefined ? {} : { linkname }) };
    // A folder's or link's header is complete without a body; tar-stream pads what has one.
    tar.entry(header, content);
  }
  tar.finalize();
  return buffer(tar);
}

/** The store path of the application that `appEntries` makes. */
export const APP_PATH = '/nix/store/00000000000000000000000000000000-app';

/** A small environment: a program of this content, and /app that leads to it. */
export function appEntries(program: string | Uint8Array = '#!/bin/sh\n'): Entry[] {
  const path = APP_PATH.slice(1);
  return [
    { name: `${path}/`, type: 'directory' },
    { name: `${path}/bin/`, type: 'directory' },
    { name: `${path}/bin/python`, mode: 0o755, content: program },
    { name: `${path}/share.txt`, content: 'shared\n' },
    { name: 'app', type: 'symlink', linkname: APP_PATH },
  ];
}

/** Writes the tarball of a small environment, with what is to be in it besides, and returns its path. */
export async function writeApp(
  file: string,
  { program = elfHead(ELF_MACHINE.amd64), more = [] }: { program?: string | Uint8Array; more?: readonly Entry[] } = {},
): Promise<string> {
  await writeFile(file, await tarOf([...appEntries(program), ...more]));
  return file;
}

/** The first 64 bytes of a program, as ELF has them (elf(5)): 64 bits, little-endian. */
export function elfHead(machine: number): Uint8Array {
  const head = Buffer.alloc(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  return head;
}

export const ELF_MACHINE = { amd64: 62, arm64: 183, sparc: 2 } as const;

export interface Folder {
  readonly folder: string;
  readonly remove: () => Promise<void>;
}

/** A folder for one test or one file of tests, and what removes it: a store's folders are read-only. */
export async function labFolder(): Promise<Folder> {
  // Lower-case, since buildah makes a repository's name of the path.
  const folder = join(tmpdir(), `oci-plone-spec-${randomBytes(6).toString('hex')}`);
  await mkdir(folder);
  const remove = async (): Promise<void> => {
    await run('chmod', ['-R', 'u+w', folder]).catch(() => undefined);
    await run('rm', ['-rf', folder]);
  };
  return { folder, remove };
}

/** A layout's documents, as they are on disk. */
export interface LayoutDocuments {
  readonly descriptor: DescriptorJson;
  readonly manifest: ManifestJson;
  readonly config: ConfigJson;
}

export interface DescriptorJson {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Readonly<Record<string, string>>;
}

export interface ManifestJson {
  readonly mediaType: string;
  readonly config: DescriptorJson;
  readonly layers: readonly DescriptorJson[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ConfigJson {
  readonly created: string;
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly config: Readonly<Record<string, unknown>> & { readonly Labels?: Readonly<Record<string, string>> };
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
  readonly history: readonly Readonly<Record<string, unknown>>[];
}

/** The descriptors of a layout's index.json. */
export function indexOf(layout: string): readonly DescriptorJson[] {
  const index: { readonly manifests: readonly DescriptorJson[] } = JSON.parse(
    readFileSync(join(layout, 'index.json'), 'utf8'),
  );
  return index.manifests;
}

export function documentsOf(layout: string, tag = 'latest'): LayoutDocuments {
  const descriptor = indexOf(layout).find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag,
  );
  if (descriptor === undefined) throw new Error(`${layout} has no reference ${tag}`);
  const manifest: ManifestJson = JSON.parse(blobOf(layout, descriptor.digest).toString('utf8'));
  const config: ConfigJson = JSON.parse(blobOf(layout, manifest.config.digest).toString('utf8'));
  return { descriptor, manifest, config };
}

export function blobOf(layout: string, digest: string): Buffer {
  return readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
}

export interface Listed extends Header {
  readonly content: string;
}

/** The entries of a layer's blob (gzip) or of a plain tar, in their order. */
export async function entriesOf(blob: Uint8Array): Promise<readonly Listed[]> {
  const parser = extract();
  parser.end(blob[0] === 0x1f ? gunzipSync(blob) : Buffer.from(blob));
  const listed: Listed[] = [];
  for await (const entry of parser) {
    listed.push({ ...entry.header, content: await text(entry) });
  }
  return listed;
}

/** The entries of all layers of a layout's image, by name; of two of a name the last one. */
export async function filesOf(layout: string, tag?: string): Promise<ReadonlyMap<string, Listed>> {
  const files = new Map<string, Listed>();
  for (const { digest } of documentsOf(layout, tag).manifest.layers)
    for (const entry of await entriesOf(blobOf(layout, digest))) files.set(entry.name, entry);
  return files;
}

/** Everything in a folder, by path; what lies beside an output is seen by asking for its parent. */
export function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
}
