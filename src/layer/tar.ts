import { OciPloneError, throwIfAborted } from '../errors.ts';
import { type NarHash, type NarInfo, narHash } from './nar.ts';
import { BLOCK_BYTES, type TarEntry, paddingOf, tarHeader } from './tar-header.ts';
import type { FileNode, FolderNode, Room } from './tree.ts';
import { type Step, walk } from './walk.ts';

export interface TarOptions {
  /** Gets the tar's bytes in order. What it keeps it must copy. */
  readonly write: (piece: Uint8Array) => void;
  /** Where the next piece may be put before it is written. */
  readonly room?: Room | undefined;
  /** Awaited between pieces: the back-pressure of whoever takes the bytes. */
  readonly ready: () => Promise<void> | undefined;
  /** Paths below the root, such as `nix/store/…`, of which the NAR's hash is wanted. */
  readonly hashed: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

const ZEROS = new Uint8Array(2 * BLOCK_BYTES);

/**
 * Writes a tree as a tar: parents first, each name once, no hard links; the headers' policy is tar-header.ts. Returns the
 * NAR hashes of the paths asked for. Throws INPUT_REFUSED for a name that would be a whiteout.
 */
export async function writeTar(root: FolderNode, options: TarOptions): Promise<ReadonlyMap<string, NarInfo>> {
  const nars = new Map<string, NarInfo>();
  for (const wait of tarInParts(root, options, nars)) await wait;
  return nars;
}

/** Writes up to where there is something to wait for: a promise for each of 400,000 entries would be most of the memory. */
function* tarInParts(root: FolderNode, options: TarOptions, nars: Map<string, NarInfo>): Generator<Promise<void>> {
  const { write, ready, hashed, signal } = options;
  let nar: { readonly path: string; readonly hash: NarHash } | null = null;
  for (const step of walk(root)) {
    throwIfAborted(signal);
    if (nar === null && step.kind !== 'leave' && hashed.has(step.path)) nar = { path: step.path, hash: narHash() };
    nar?.hash.step(step);
    if (step.kind !== 'leave') {
      assertNoWhiteout(step);
      write(tarHeader(entryOf(step)));
      if (step.kind === 'leaf' && step.node.kind === 'file')
        yield* contentInParts(step.path, step.node, nar?.hash ?? null, options);
    }
    if (nar?.path === step.path && step.kind !== 'enter') {
      nars.set(nar.path, nar.hash.finish());
      nar = null;
    }
    // Also where there was no content: headers alone may be hundreds of megabytes.
    const wait = ready();
    if (wait) yield wait;
  }
  write(ZEROS);
}

/** A layer cannot hold such a name, which deletes something of the layers below (image specification, layer.md "Whiteouts"). */
function assertNoWhiteout({ name, path }: Exclude<Step, { kind: 'leave' }>): void {
  if (name.startsWith('.wh.'))
    throw new OciPloneError('INPUT_REFUSED', `/${path}: a name that begins with ".wh." cannot be in an image`);
}

function entryOf(step: Exclude<Step, { kind: 'leave' }>): TarEntry {
  if (step.kind === 'enter')
    return { name: `${step.path}/`, type: 'folder', mode: step.node.mode, size: 0, target: '', owner: step.node.owner };
  const { node, path } = step;
  return node.kind === 'symlink'
    ? { name: path, type: 'symlink', mode: 0o777, size: 0, target: node.target }
    : { name: path, type: 'file', mode: node.mode, size: node.size, target: '' };
}

function* contentInParts(
  path: string,
  node: FileNode,
  nar: NarHash | null,
  { write, room, ready, signal }: TarOptions,
): Generator<Promise<void>> {
  let bytes = 0;
  for (const piece of node.read(room)) {
    bytes += piece.length;
    nar?.content(piece);
    write(piece);
    const wait = ready();
    if (wait) yield wait;
    throwIfAborted(signal);
  }
  if (bytes !== node.size) throw new Error(`/${path}: ${bytes} bytes instead of ${node.size}`);
  nar?.endFile();
  write(ZEROS.subarray(0, paddingOf(node.size)));
}
