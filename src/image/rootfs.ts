import type { Readable } from 'node:stream';
import { OciPloneError } from '../errors.ts';
import { diskTree } from '../layer/disk-tree.ts';
import type { Encoder } from '../layer/encoder.ts';
import type { NarInfo } from '../layer/nar.ts';
import type { Archive, ArchiveOptions } from '../layer/read-archive.ts';
import { resolve } from '../layer/resolve.ts';
import type { StreamedLayer } from '../layer/store-layer.ts';
import { isStoreName } from '../layer/store-name.ts';
import { type FolderNode, folder, merge, symlink } from '../layer/tree.ts';
import { isDigest } from '../oci/digest.ts';
import { type Platform, platformOfNixSystem } from '../oci/platform.ts';
import type { Stage } from '../layout/stage.ts';
import type { Closure } from '../nix/closure.ts';
import { sessionOptions } from '../nix/choices.ts';
import type { Nix } from '../nix/session.ts';
import { type Input, inputKind } from './input.ts';
import type { PackJob } from './options.ts';

/** What an input holds, before anything is added to it. */
export interface RootFs {
  readonly tree: FolderNode;
  /** `/nix/store/…`, sorted. */
  readonly storePaths: readonly string[];
  /** What Nix knows of them; nothing for an archive. */
  readonly known: ReadonlyMap<string, NarInfo>;
  /** Asks what the derivation says it was built for: two programs of Nix, for what an entrypoint's header mostly tells. */
  readonly system: () => Promise<Platform | null>;
  /** Nix ran without a sandbox. */
  readonly unsandboxed: boolean;
  /** The archive, where it was one. */
  readonly archive: Archive | null;
  /** The layer of its store paths, where that was written while it was read. */
  readonly streamed: StreamedLayer | null;
}

export type RootFsJob = Pick<
  PackJob,
  'input' | 'nix' | 'limits' | 'layers' | 'checkStore' | 'env' | 'signal' | 'onProgress' | 'instance'
> & {
  /** Called when all is built, and Nix is asked for the closure: soon its files will be read. */
  readonly meanwhile?: (() => Promise<unknown>) | undefined;
  /** With what an archive's store paths may be packed while it is read. */
  readonly openEncoder?: (() => Promise<Encoder>) | undefined;
};

/** Builds or reads a job's input and keeps it readable for the time of `use`. */
export async function withRootFs<T>(job: RootFsJob, stage: Stage, use: (root: RootFs) => Promise<T>): Promise<T> {
  const input = inputKind(job.input);
  if (job.layers === 'verbatim' && (input.kind !== 'archive' || typeof input.source !== 'string'))
    throw new OciPloneError('USAGE', '"layers" verbatim expected a .tar.gz file as the input', {
      hint: 'A closure has no layer that could be kept as it is; save a stream to a file first.',
    });
  if (job.checkStore && input.kind === 'archive')
    throw new OciPloneError('USAGE', '"checkStore" expected a store path or an expression as the input', {
      hint: 'An archive does not say what its store paths should be.',
    });
  if (input.kind === 'archive') return withArchive(input.source, job, stage, use);
  const { withNix } = await import('../nix/session.ts');
  return withNix(sessionOptions(job.nix, job), async (nix) => {
    const { storePath, system, beside } = await build(nix, input, job);
    const [closure] = await Promise.all([nix.closure(storePath), job.meanwhile?.()]);
    const systemOf = async (): Promise<Platform | null> => {
      const name = system ?? (await nix.systemOf(closure.root));
      return name === null ? null : platformOfNixSystem(name);
    };
    const root = closureRoot(closure, systemOf, job);
    return use(beside === null ? root : { ...root, tree: merge(root.tree, beside) });
  });
}

/** What goes into the image: a store path with its closure, and perhaps an instance of Plone beside it. */
async function build(
  nix: Nix,
  input: Exclude<Input, { readonly kind: 'archive' }>,
  job: RootFsJob,
): Promise<{ readonly storePath: string; readonly system: string | null; readonly beside: FolderNode | null }> {
  if (input.kind === 'store') return { storePath: input.path, system: null, beside: null };
  const expression = expressionOf(input.file, job);
  if (job.instance === null) return { ...(await nix.build(expression)), beside: null };
  const [{ BAKED_ATTRIBUTES }, { bakedTree }] = await Promise.all([
    import('./baked-instance.ts'),
    import('./baked-tree.ts'),
  ]);
  const [environment, made] = await nix.buildAttributes(expression, BAKED_ATTRIBUTES);
  if (environment === undefined || made === undefined) throw new Error('an expression of two attributes has fewer');
  return { ...environment, beside: bakedTree(made.onDisk, job.instance, job.onProgress) };
}

function closureRoot({ root, paths }: Closure, system: RootFs['system'], { nix }: RootFsJob): RootFs {
  const store = folder(paths.map(({ path, onDisk }) => [nameInStore(path), diskTree(onDisk)] as const));
  const tree = folder([
    ['nix', folder([['store', store]])],
    ['app', symlink(root)],
  ]);
  return {
    tree,
    storePaths: paths.map(({ path }) => path),
    known: new Map(
      paths.flatMap(({ path, narHash, narSize }) => (isDigest(narHash) ? [[path, { narHash, narSize }]] : [])),
    ),
    system,
    unsandboxed: nix.sandbox === 'none',
    archive: null,
    streamed: null,
  };
}

function nameInStore(path: string): string {
  return path.slice('/nix/store/'.length);
}

async function withArchive<T>(
  source: string | Readable,
  { limits, layers, signal, onProgress, openEncoder }: RootFsJob,
  stage: Stage,
  use: (root: RootFs) => Promise<T>,
): Promise<T> {
  const options = { limits, spoolFolder: stage.folder, signal, onProgress };
  const { archive, streamed } =
    layers === 'verbatim'
      ? await readAndKeep(source, options, stage)
      : typeof source === 'string' && openEncoder !== undefined
        ? await readAndPack(source, options, stage, await openEncoder())
        : await read(source, options);
  try {
    const { tree } = archive;
    return await use({
      tree,
      storePaths: storePathsIn(tree),
      known: new Map(),
      system: () => Promise.resolve(null),
      unsandboxed: false,
      archive,
      streamed,
    });
  } finally {
    archive.close();
  }
}

interface ReadArchive {
  readonly archive: Archive;
  readonly streamed: StreamedLayer | null;
}

async function read(source: string | Readable, options: ArchiveOptions): Promise<ReadArchive> {
  const { readArchive } = await import('../layer/read-archive.ts');
  return { archive: await readArchive(source, options), streamed: null };
}

/** What is hashed and looked at is what is kept, even if the file changes meanwhile. */
async function readAndKeep(source: string | Readable, options: ArchiveOptions, stage: Stage): Promise<ReadArchive> {
  return stage.writeBlob(async (keep) => {
    const { archive, streamed } = await read(source, { ...options, keep });
    if (archive.kept === null) throw new Error('an archive that was to be kept was not');
    return { archive, streamed, digest: archive.kept.digest };
  });
}

/** The store paths' layer is written while the archive is read, where it is in the order for that. */
async function readAndPack(
  source: string,
  options: ArchiveOptions,
  stage: Stage,
  encoder: Encoder,
): Promise<ReadArchive> {
  const { StoreLayer } = await import('../layer/store-layer.ts');
  return stage.writeBlob(async (sink) => {
    const layer = new StoreLayer(encoder, sink);
    const { archive } = await read(source, { ...options, layer });
    if (!archive.isStreamed) return { archive, streamed: null, digest: null };
    try {
      const streamed = await layer.finish();
      return { archive, streamed, digest: streamed.digest };
    } catch (error) {
      archive.close();
      throw error;
    }
  });
}

function storePathsIn(tree: FolderNode): string[] {
  const store = resolve(tree, '/nix/store')?.node;
  if (store?.kind !== 'folder') return [];
  return Array.from(store.list(), ([name]) => name)
    .filter(isStoreName)
    .map((name) => `/nix/store/${name}`);
}

function expressionOf(file: string, { nix }: RootFsJob): Parameters<Nix['build']>[0] {
  return {
    file,
    ...(nix.attribute === undefined ? {} : { attribute: nix.attribute }),
    args: Object.entries(nix.args ?? {}),
    argstrs: Object.entries(nix.argstrs ?? {}),
    include: nix.include ?? [],
  };
}
