import { throwIfAborted } from '../errors.ts';
import { type NarHash, type NarInfo, narHash } from './nar.ts';
import { BLOCK_BYTES, type TarEntry, paddingOf, tarHeader } from './tar-header.ts';
import type { FolderNode } from './tree.ts';
import { type Step, walk } from './walk.ts';

export interface TarOptions {
  /** Gets the tar's bytes in order. What it keeps it must copy. */
  readonly write: (piece: Uint8Array) => void;
  /** Awaited between pieces: the back-pressure of whoever takes the bytes. */
  readonly ready: () => Promise<void> | undefined;
  /** Paths below the root, such as `nix/store/…`, of which the NAR's hash is wanted. */
  readonly hashed: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

const ZEROS = new Uint8Array(2 * BLOCK_BYTES);

/**
 * Writes a tree as a tar: parents first, each name once, no hard links; the headers' policy is tar-header.ts. Returns the
 * NAR hashes of the paths asked for.
 */
export async function writeTar(root: FolderNode, options: TarOptions): Promise<ReadonlyMap<string, NarInfo>> {
  const { write, hashed } = options;
  const nars = new Map<string, NarInfo>();
  let nar: { readonly path: string; readonly hash: NarHash } | null = null;
  for (const step of walk(root)) {
    if (nar === null && step.kind !== 'leave' && hashed.has(step.path)) nar = { path: step.path, hash: narHash() };
    nar?.hash.step(step);
    if (step.kind !== 'leave') {
      write(tarHeader(entryOf(step)));
      await writeContent(step, nar?.hash ?? null, options);
    }
    if (nar?.path === step.path && step.kind !== 'enter') {
      nars.set(nar.path, nar.hash.finish());
      nar = null;
    }
  }
  write(ZEROS);
  return nars;
}

function entryOf(step: Exclude<Step, { kind: 'leave' }>): TarEntry {
  if (step.kind === 'enter')
    return { name: `${step.path}/`, type: 'folder', mode: step.node.mode, size: 0, target: '' };
  const { node, path } = step;
  return node.kind === 'symlink'
    ? { name: path, type: 'symlink', mode: 0o777, size: 0, target: node.target }
    : { name: path, type: 'file', mode: node.mode, size: node.size, target: '' };
}

async function writeContent(step: Step, nar: NarHash | null, { write, ready, signal }: TarOptions): Promise<void> {
  if (step.kind === 'leaf' && step.node.kind === 'file') {
    for (const piece of step.node.read()) {
      nar?.content(piece);
      write(piece);
      const wait = ready();
      if (wait) await wait;
      throwIfAborted(signal);
    }
    nar?.endFile();
    write(ZEROS.subarray(0, paddingOf(step.node.size)));
  }
}
