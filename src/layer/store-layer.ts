import { type BlobSink, BlobWriter, type PackedBlob } from './blob.ts';
import type { Encoder } from './encoder.ts';
import type { NarInfo } from './nar.ts';
import { isStoreName } from './store-name.ts';
import { TarWriter } from './tar.ts';
import { type SymlinkNode, byBytes } from './tree.ts';
import type { BareFile, BareFolder } from './walk.ts';

/** A layer of store paths as it was written while an archive was read. */
export interface StreamedLayer extends PackedBlob {
  /** Of each store path, by its name below the root. */
  readonly nars: ReadonlyMap<string, NarInfo>;
}

/** What an archive has cannot be written as it comes: to be read again, with a spool. */
export class OutOfOrder extends Error {}

/** A folder whose entries come, and the last one of them. */
interface OpenFolder {
  readonly name: string;
  readonly path: string;
  last: string | null;
}

/**
 * The layer of an archive's store paths, written while the archive is read, so that its contents need no spool. That works where
 * they come in the order of a layer, folders before what is in them and names in the order of their bytes, as in a tarball of ours:
 * then the bytes are those of a layer that is packed from a spool.
 */
export class StoreLayer {
  readonly #blob: BlobWriter;
  readonly #tar: TarWriter;
  #open: OpenFolder[] = [{ name: '', path: '', last: null }];
  #nars: ReadonlyMap<string, NarInfo> = new Map();
  /** The folders of the entry before: most entries are in the one that the entry before is in. */
  #folders: readonly string[] | null = null;
  /** The file whose content comes. */
  #file: { readonly path: string; readonly size: number; left: number } | null = null;

  constructor(encoder: Encoder, sink: BlobSink) {
    this.#blob = new BlobWriter(encoder, sink);
    this.#tar = new TarWriter(this.#blob, { has: isStorePath });
  }

  /**
   * Takes the next entry of the archive, if it belongs to the layer; then the content of a file follows. Throws OutOfOrder,
   * and INPUT_REFUSED for a whiteout's name.
   */
  add(folders: readonly string[], name: string, node: BareFolder | BareFile | SymlinkNode): boolean {
    if (folders !== this.#folders) {
      if (!isInStore(folders, name)) return false;
      this.#return(folders);
      this.#folders = folders.length < STORE_DEPTH ? null : folders;
    }
    const folder = this.#open.at(-1);
    if (folder === undefined) throw new Error('the root is never left');
    if (folder.last !== null && byBytes(name, folder.last) <= 0) throw new OutOfOrder(name);
    folder.last = name;
    const path = folder.path === '' ? name : `${folder.path}/${name}`;
    if (node.kind === 'folder') {
      this.#tar.step({ kind: 'enter', path, name, node });
      this.#open.push({ name, path, last: null });
      this.#folders = null;
      return true;
    }
    if (this.#open.length < STORE_DEPTH) throw new OutOfOrder(name);
    this.#tar.step({ kind: 'leaf', path, name, node });
    if (node.kind === 'file') {
      this.#file = { path, size: node.size, left: node.size };
      this.content(new Uint8Array());
    }
    return true;
  }

  /** Takes more of the content of the file that was added. Keeps nothing of it. */
  content(piece: Uint8Array): void {
    const file = this.#file;
    if (file === null) throw new Error('a content of no file');
    if (piece.length > 0) this.#tar.content(piece);
    file.left -= piece.length;
    if (file.left > 0) return;
    this.#tar.endFile(file.path, file.size);
    this.#file = null;
  }

  /** See `BlobWriter`. */
  ready(): Promise<void> | undefined {
    return this.#blob.ready();
  }

  /** To be called when all entries have come. Throws OutOfOrder where none of them was a store path. */
  end(): void {
    this.#return([]);
    this.#nars = this.#tar.end();
    if (this.#nars.size === 0) throw new OutOfOrder('no store path');
  }

  /** Waits for what is still being encoded. */
  async finish(): Promise<StreamedLayer> {
    return { nars: this.#nars, ...(await this.#blob.finish()) };
  }

  /** Leaves all folders but these, which are to be open: one that was left, or that no entry made, is out of order. */
  #return(folders: readonly string[]): void {
    if (folders.some((name, depth) => this.#open[depth + 1]?.name !== name)) throw new OutOfOrder(folders.join('/'));
    for (
      let last = this.#open.at(-1);
      last !== undefined && this.#open.length > folders.length + 1;
      last = this.#open.at(-1)
    ) {
      this.#tar.step({ kind: 'leave', path: last.path });
      this.#open.pop();
    }
  }
}

const STORE = ['nix', 'store'];

/** How many folders are open where a store path may come: the root, /nix and /nix/store. */
const STORE_DEPTH = STORE.length + 1;

function isStorePath(path: string): boolean {
  const parts = path.split('/');
  return parts.length === STORE_DEPTH;
}

/** Whether an entry is one of /nix, /nix/store, the store paths, and what is below those. */
function isInStore(folders: readonly string[], name: string): boolean {
  const [first, second, third] = folders.length < STORE_DEPTH ? [...folders, name] : folders;
  if (first !== STORE[0] || (second !== undefined && second !== STORE[1])) return false;
  return third === undefined || isStoreName(third);
}
