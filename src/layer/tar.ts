import { type Pack, pack } from 'tar-stream';
import { throwIfAborted } from '../errors.ts';
import { type NarHash, type NarInfo, narHash } from './nar.ts';
import type { FileNode, FolderNode } from './tree.ts';
import { type Step, walk } from './walk.ts';

/**
 * The time of every entry, in seconds: 1, as in Nix's store. 0 would make timestamp `.pyc` files stale, whose sources
 * Nix dates 1.
 */
const MTIME_SECONDS = 1;

/** Root owns everything: uid 1000 runs the image and must not be able to change it. */
const OWNER = { uid: 0, gid: 0, uname: '', gname: '' };

export interface TarOptions {
  /** Gets the tar's bytes in order. What it keeps it must copy. */
  readonly write: (piece: Uint8Array) => void;
  /** Awaited between pieces: the back-pressure of whoever takes the bytes. */
  readonly ready: () => Promise<void> | undefined;
  /** Folders, as `nix/store/…` paths, of which the NAR's hash is wanted. */
  readonly hashed: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a tree as a tar (POSIX ustar, PAX where a name is longer or not ASCII): parents first, each name once, no hard
 * links, owner 0:0, time 1. Returns the NAR hashes of the paths asked for.
 */
export async function writeTar(root: FolderNode, options: TarOptions): Promise<ReadonlyMap<string, NarInfo>> {
  const { ready, hashed, signal } = options;
  // A mark of one byte makes every callback wait until `write` had the bytes, so that the reader may use its buffer again.
  const tar = pack({ highWaterMark: 1 });
  const failed = new Promise<never>((_, reject) => tar.once('error', reject));
  failed.catch(() => undefined);
  const ended = new Promise<void>((resolve) => tar.once('end', resolve));
  tar.on('data', (piece) => {
    if (piece instanceof Uint8Array) options.write(piece);
  });

  const nars = new Map<string, NarInfo>();
  let nar: { readonly path: string; readonly hash: NarHash } | null = null;
  for (const step of walk(root)) {
    throwIfAborted(signal);
    if (nar === null && step.kind !== 'leave' && hashed.has(step.path)) nar = { path: step.path, hash: narHash() };
    nar?.hash.step(step);
    if (step.kind !== 'leave') await Promise.race([failed, writeEntry(tar, step, nar?.hash ?? null, options)]);
    if (nar?.path === step.path && step.kind !== 'enter') {
      nars.set(nar.path, nar.hash.finish());
      nar = null;
    }
    const wait = ready();
    if (wait) await wait;
  }
  tar.finalize();
  await Promise.race([failed, ended]);
  return nars;
}

async function writeEntry(
  tar: Pack,
  step: Exclude<Step, { kind: 'leave' }>,
  nar: NarHash | null,
  options: TarOptions,
): Promise<void> {
  const common = { ...OWNER, mtime: new Date(MTIME_SECONDS * 1000) };
  if (step.kind === 'enter') {
    await written(tar, { ...common, name: `${step.path}/`, type: 'directory', mode: step.node.mode });
  } else if (step.node.kind === 'symlink') {
    await written(tar, { ...common, name: step.path, type: 'symlink', mode: 0o777, linkname: step.node.target });
  } else {
    const { node } = step;
    const header: Header = { ...common, name: step.path, type: 'file', mode: node.mode, size: node.size };
    await written(tar, header, (sink) => feed(sink, node, nar, options));
    nar?.endFile();
  }
}

type Header = Parameters<Pack['entry']>[0];
type Sink = ReturnType<Pack['entry']>;

/** Resolves once all of an entry's bytes went through `write`. */
function written(tar: Pack, header: Header, feedSink?: (sink: Sink) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const sink = tar.entry(header, (error) => (error ? reject(error) : resolve()));
    feedSink?.(sink).catch((error: unknown) => {
      reject(error instanceof Error ? error : new Error(String(error)));
      tar.destroy();
    });
  });
}

async function feed(sink: Sink, node: FileNode, nar: NarHash | null, { ready, signal }: TarOptions): Promise<void> {
  for (const piece of node.read()) {
    throwIfAborted(signal);
    nar?.content(piece);
    if (!sink.write(piece)) await drained(sink);
    const wait = ready();
    if (wait) await wait;
  }
  sink.end(null);
}

function drained(sink: Sink): Promise<void> {
  return new Promise((resolve) => void sink.once('drain', () => resolve()));
}
