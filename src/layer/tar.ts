import { OciPloneError, throwIfAborted } from '../errors.ts';
import { type NarHash, type NarInfo, narHash } from './nar.ts';
import { BLOCK_BYTES, type TarEntry, paddingOf, tarHeader } from './tar-header.ts';
import type { FolderNode, Room } from './tree.ts';
import { type BareStep, walk } from './walk.ts';

/** Takes a tar's bytes in order. */
export interface TarSink {
  /** What it keeps it must copy. */
  write(piece: Uint8Array): void;
  /** Where the next piece may be put before it is written. */
  readonly room?: Room;
  /** Awaited between pieces: its back-pressure. */
  ready(): Promise<void> | undefined;
}

export interface TarOptions {
  /** Paths below the root, such as `nix/store/…`, of which the NAR's hash is wanted. */
  readonly hashed: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes a tree as a tar: parents first, each name once, no hard links; the headers' policy is tar-header.ts. Returns the
 * NAR hashes of the paths asked for. Throws INPUT_REFUSED for a name that would be a whiteout.
 */
export async function writeTar(
  root: FolderNode,
  sink: TarSink,
  { hashed, signal }: TarOptions,
): Promise<ReadonlyMap<string, NarInfo>> {
  // To look for a path in a set, V8 goes through all of its text, even where the set is empty.
  const tar = new TarWriter(sink, hashed.size === 0 ? null : hashed);
  for (const wait of tarInParts(root, tar, sink, signal)) await wait;
  return tar.end();
}

/** Writes up to where there is something to wait for: a promise for each of 400,000 entries would be most of the memory. */
function* tarInParts(
  root: FolderNode,
  tar: TarWriter,
  sink: TarSink,
  signal: AbortSignal | undefined,
): Generator<Promise<void>> {
  for (const step of walk(root)) {
    throwIfAborted(signal);
    tar.step(step);
    if (step.kind === 'leaf' && step.node.kind === 'file') {
      const { path, node } = step;
      let bytes = 0;
      for (const piece of node.read(sink.room)) {
        bytes += piece.length;
        tar.content(piece);
        const wait = sink.ready();
        if (wait) yield wait;
        throwIfAborted(signal);
      }
      if (bytes !== node.size) throw new Error(`/${path}: ${bytes} bytes instead of ${node.size}`);
      tar.endFile(path, node.size);
    }
    // Also where there was no content: headers alone may be hundreds of megabytes.
    const wait = sink.ready();
    if (wait) yield wait;
  }
}

const ZEROS = new Uint8Array(2 * BLOCK_BYTES);

/** Writes a tar by the steps of a walk, and hashes the NARs of some paths on the way. */
export class TarWriter {
  readonly #sink: Pick<TarSink, 'write'>;
  readonly #hashed: { has(path: string): boolean } | null;
  readonly #nars = new Map<string, NarInfo>();
  #nar: { readonly path: string; readonly hash: NarHash } | null = null;

  constructor(sink: Pick<TarSink, 'write'>, hashed: { has(path: string): boolean } | null) {
    this.#sink = sink;
    this.#hashed = hashed;
  }

  /** For a file, its content follows through `content`, and `endFile`. Throws INPUT_REFUSED for a whiteout's name. */
  step(step: BareStep): void {
    if (this.#nar === null && step.kind !== 'leave' && this.#hashed?.has(step.path) === true)
      this.#nar = { path: step.path, hash: narHash() };
    this.#nar?.hash.step(step);
    if (step.kind !== 'leave') {
      assertNoWhiteout(step);
      this.#sink.write(tarHeader(entryOf(step)));
    }
    const isWhole = step.kind === 'leave' || (step.kind === 'leaf' && step.node.kind === 'symlink');
    if (isWhole) this.#leave(step.path);
  }

  content(piece: Uint8Array): void {
    this.#nar?.hash.content(piece);
    this.#sink.write(piece);
  }

  endFile(path: string, size: number): void {
    this.#nar?.hash.endFile();
    this.#sink.write(ZEROS.subarray(0, paddingOf(size)));
    this.#leave(path);
  }

  /** Ends the tar (POSIX pax, "ustar Interchange Format": two blocks of zeros). Returns the hashes, by path. */
  end(): ReadonlyMap<string, NarInfo> {
    this.#sink.write(ZEROS);
    return this.#nars;
  }

  #leave(path: string): void {
    if (this.#nar?.path !== path) return;
    this.#nars.set(path, this.#nar.hash.finish());
    this.#nar = null;
  }
}

/** A layer cannot hold such a name, which deletes something of the layers below (image specification, layer.md "Whiteouts"). */
function assertNoWhiteout({ name, path }: Exclude<BareStep, { kind: 'leave' }>): void {
  if (name.startsWith('.wh.'))
    throw new OciPloneError('INPUT_REFUSED', `/${path}: a name that begins with ".wh." cannot be in an image`);
}

function entryOf(step: Exclude<BareStep, { kind: 'leave' }>): TarEntry {
  if (step.kind === 'enter')
    return { name: `${step.path}/`, type: 'folder', mode: step.node.mode, size: 0, target: '', owner: step.node.owner };
  const { node, path } = step;
  return node.kind === 'symlink'
    ? { name: path, type: 'symlink', mode: 0o777, size: 0, target: node.target }
    : { name: path, type: 'file', mode: node.mode, size: node.size, target: '' };
}
