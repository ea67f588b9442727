import type { Readable } from 'node:stream';
import { OciPloneError } from '../errors.ts';
import { diskTree } from '../layer/disk-tree.ts';
import type { NarInfo } from '../layer/nar.ts';
import { type Archive, readArchive } from '../layer/read-archive.ts';
import { resolve } from '../layer/resolve.ts';
import { type FolderNode, folder, symlink } from '../layer/tree.ts';
import { isDigest } from '../oci/digest.ts';
import { type Platform, platformOfNixSystem } from '../oci/platform.ts';
import type { Closure } from '../nix/closure.ts';
import { type Nix, type NixOptions, withNix } from '../nix/session.ts';
import { inputKind } from './input.ts';
import type { PackJob } from './options.ts';

/** What an input holds, before anything is added to it. */
export interface RootFs {
  readonly tree: FolderNode;
  /** `/nix/store/…`, sorted. */
  readonly storePaths: readonly string[];
  /** What Nix knows of them; nothing for an archive. */
  readonly known: ReadonlyMap<string, NarInfo>;
  /** What the derivation says it was built for. */
  readonly system: Platform | null;
  /** Nix ran without a sandbox. */
  readonly unsandboxed: boolean;
  /** The archive, where it was one. */
  readonly archive: Archive | null;
}

export type RootFsJob = Pick<
  PackJob,
  'input' | 'nix' | 'limits' | 'layers' | 'checkStore' | 'env' | 'signal' | 'onProgress'
>;

/** Builds or reads a job's input and keeps it readable for the time of `use`. */
export async function withRootFs<T>(
  job: RootFsJob,
  spoolFolder: string,
  use: (root: RootFs) => Promise<T>,
): Promise<T> {
  const input = inputKind(job.input);
  if (job.layers === 'verbatim' && (input.kind !== 'archive' || typeof input.source !== 'string'))
    throw new OciPloneError('USAGE', '"layers" verbatim expected a .tar.gz file as the input', {
      hint: 'A closure has no layer that could be kept as it is; save a stream to a file first.',
    });
  if (job.checkStore && input.kind === 'archive')
    throw new OciPloneError('USAGE', '"checkStore" expected a store path or an expression as the input', {
      hint: 'An archive does not say what its store paths should be.',
    });
  if (input.kind === 'archive') return withArchive(input.source, job, spoolFolder, use);
  return withNix(nixOptions(job), async (nix) => {
    const { storePath, system } =
      input.kind === 'expression'
        ? await nix.build(expressionOf(input.file, job))
        : { storePath: input.path, system: null };
    const closure = await nix.closure(storePath);
    return use(closureRoot(closure, system ?? (await systemOf(nix, closure)), job));
  });
}

async function systemOf(nix: Nix, { root }: Closure): Promise<string | null> {
  return nix.systemOf(root);
}

function closureRoot({ root, paths }: Closure, system: string | null, { nix }: RootFsJob): RootFs {
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
    system: system === null ? null : platformOfNixSystem(system),
    unsandboxed: nix.sandbox === 'none',
    archive: null,
  };
}

function nameInStore(path: string): string {
  return path.slice('/nix/store/'.length);
}

async function withArchive<T>(
  source: string | Readable,
  { limits, layers, signal, onProgress }: RootFsJob,
  spoolFolder: string,
  use: (root: RootFs) => Promise<T>,
): Promise<T> {
  const strict = layers === 'verbatim';
  const archive = await readArchive(source, { limits, strict, spoolFolder, signal, onProgress });
  try {
    const { tree } = archive;
    return await use({
      tree,
      storePaths: storePathsIn(tree),
      known: new Map(),
      system: null,
      unsandboxed: false,
      archive,
    });
  } finally {
    archive.close();
  }
}

/** A hash of 32 digits and a name, as Nix's store paths have it. */
const STORE_NAME = /^[0-9a-df-np-sv-z]{32}-[0-9a-zA-Z+\-._?=]+$/;

function storePathsIn(tree: FolderNode): string[] {
  const store = resolve(tree, '/nix/store')?.node;
  if (store?.kind !== 'folder') return [];
  return Array.from(store.list(), ([name]) => name)
    .filter((name) => STORE_NAME.test(name))
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

function nixOptions({ nix, env, signal, onProgress }: RootFsJob): NixOptions {
  return {
    sandbox: nix.sandbox ?? 'bubblewrap',
    show: nix.show ?? [],
    offline: nix.offline ?? false,
    settings: nix.nixOptions ?? [],
    env,
    store: nix.store,
    timeoutSeconds: nix.timeout,
    signal,
    onProgress,
  };
}
