import { OciPloneError } from '../errors.ts';
import { type Contents, EntryIndex, ROOT } from './entry-index.ts';
import { entryName, refused } from './entry-name.ts';
import { HEAD_BYTES, Heads } from './heads.ts';
import type { PartlyKept } from './partly-kept.ts';
import { TarScanner } from './scan-tar.ts';
import { OutOfOrder, type StoreLayer } from './store-layer.ts';
import type { Header } from './tar-block.ts';
import type { FolderNode } from './tree.ts';

/** As long as a link's target may be on Linux (PATH_MAX), in bytes. */
const MAX_TARGET_BYTES = 4096;

/** Names and link targets are kept in memory: two million names of the usual length, and no gigabytes of made-up ones. */
const MAX_TEXT_BYTES = 128 * 1024 ** 2;

export interface IndexTarOptions {
  /** What the archive is called in messages. */
  readonly where: string;
  readonly maxEntries: number;
  /**
   * Refuse what would mean different things to those who unpack the archive as it is: two entries of a name, absolute
   * names, links that climb out of the root. Of contents, only the first bytes of programs can be read then.
   */
  readonly strict: boolean;
  /** Gets what belongs to it; contents of other files go to `kept`. Throws OutOfOrder, as the layer does, and for hard links. */
  readonly streamed?: { readonly layer: StoreLayer; readonly kept: PartlyKept } | undefined;
}

/**
 * Makes a tree of a tar that is read once; contents stay in the spool. Of two entries of a name the last one wins; missing
 * parents are made; a hard link becomes a file with the content its target has then. Owner, times and extended attributes
 * are policy and not looked at.
 */
export class TarIndex {
  readonly #index: EntryIndex = new EntryIndex();
  readonly #options: IndexTarOptions;
  readonly #scanner: TarScanner;
  /** Null where the archive's bytes are kept elsewhere. */
  readonly #heads: Heads | null;
  /** Whether the content that comes is that of a file of the layer. */
  #isStreamed = false;
  #entries = 0;
  #textBytes = 0;
  /** The folder of the entry before: most entries are in the one that the entry before is in. */
  #last: Omit<Place, 'name'> & { readonly path: string } = { path: '', folders: [], folder: ROOT };

  constructor(options: IndexTarOptions) {
    this.#options = options;
    const { where, strict, streamed } = options;
    this.#heads = streamed?.kept.heads ?? (strict ? new Heads() : null);
    this.#scanner = new TarScanner(
      where,
      (entry, start) => this.#add(entry, start),
      streamed === undefined
        ? null
        : (piece) => (this.#isStreamed ? streamed.layer.content(piece) : streamed.kept.append(piece)),
    );
  }

  /** Takes the next bytes, and keeps nothing of them. Throws INPUT_REFUSED and INPUT_MALFORMED. */
  push(piece: Uint8Array): void {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    this.#scanner.push(bytes);
    this.#heads?.push(bytes);
  }

  /** The tree of what was pushed, once that is all of it. Throws INPUT_MALFORMED for an archive that is not complete. */
  tree(contents: Contents | null): FolderNode {
    this.#scanner.end();
    const found = this.#options.streamed?.kept ?? this.#heads ?? contents;
    if (found === null) throw new Error('an archive without a place for its bytes');
    return this.#index.tree(found);
  }

  #add(entry: Header, start: number): void {
    const { where, maxEntries } = this.#options;
    const { size } = entry;
    const type = typeOf(entry);
    if (size > 0 && (type === '5' || type === '1' || type === '2'))
      throw refused(where, entry.name, 'a folder or link with content');
    this.#put(entry, start);
    // Parents that no entry made count, too: a name of 4 KiB may ask for 2,000 of them.
    if (++this.#entries > maxEntries || this.#index.count > maxEntries) throw tooMany(where, maxEntries);
  }

  #put(entry: Header, start: number): void {
    const { where, strict, streamed } = this.#options;
    const index = this.#index;
    const type = typeOf(entry);
    if (strict) assertRelative(entry, where);
    const place = this.#place(entry.name);
    if (place === null) {
      if (type === '5') return;
      throw refused(where, entry.name, 'a name without a last part');
    }
    const { folder, folders, name } = place;
    if (strict) assertUnambiguous(index, place, entry, where);
    this.#count(name.length);
    if (entry.sparse) throw refused(where, entry.name, 'a sparse file');
    switch (type) {
      case '0':
      case '7': // A file that lies in one piece on disk.
        this.#putFile(place, entry, start);
        return;
      case '5': {
        const mode = storeMode(folders, entry.mode, 'folder');
        index.putFolder(folder, name, mode);
        streamed?.layer.add(folders, name, { kind: 'folder', mode });
        return;
      }
      case '2': {
        this.#count(entry.target.length);
        const target = linkTarget(entry, where);
        index.putSymlink(folder, name, target);
        streamed?.layer.add(folders, name, { kind: 'symlink', target });
        return;
      }
      case '1': {
        if (streamed !== undefined) throw new OutOfOrder(entry.name);
        const target = hardLinkTarget(index, entry, where);
        index.putCopy(folder, name, target, storeMode(folders, index.mode(target), 'file'));
        return;
      }
      default:
        throw refused(where, entry.name, KINDS[type] ?? `an entry of type ${JSON.stringify(type)}`);
    }
  }

  #putFile({ folder, folders, name }: Place, { mode, size }: Header, start: number): void {
    const kept = storeMode(folders, mode, 'file');
    const { streamed } = this.#options;
    this.#isStreamed = streamed?.layer.add(folders, name, { kind: 'file', mode: kept, size }) ?? false;
    const heads = this.#heads;
    if (heads === null) this.#index.putFile(folder, name, kept, start, size);
    else if (streamed !== undefined && !this.#isStreamed)
      this.#index.putFile(folder, name, kept, streamed.kept.next, size);
    else {
      const isProgram = (kept & 0o111) !== 0;
      if (isProgram) this.#count(HEAD_BYTES);
      this.#index.putFile(folder, name, kept, isProgram ? heads.add(start, size) : heads.none, size);
    }
  }

  /** Where an entry belongs: its folder, made if need be, and its name there. Null for the root itself. */
  #place(path: string): Place | null {
    const { where } = this.#options;
    const folderName = path.slice(0, path.lastIndexOf('/', path.length - 2) + 1);
    const last = this.#last;
    // What was a folder may have been replaced since; and of a long path the bytes are to be counted.
    if (folderName === last.path && path.length < 1024 && this.#index.kind(last.folder) === 'folder') {
      const [name, ...more] = entryName(path.slice(folderName.length), where);
      if (name !== undefined && more.length === 0) return { folder: last.folder, folders: last.folders, name };
    }
    const parts = entryName(path, where);
    const name = parts.at(-1);
    if (name === undefined) return null;
    const folders = parts.slice(0, -1);
    const folder = this.#folder(folders, path);
    if (path.slice(folderName.length).replace(/\/$/, '') === name) this.#last = { path: folderName, folders, folder };
    return { folder, folders, name };
  }

  #folder(folders: readonly string[], path: string): number {
    const { where } = this.#options;
    let folder = ROOT;
    for (const [depth, name] of folders.entries()) {
      const found = this.#index.find(folder, name);
      if (found !== null && this.#index.kind(found) !== 'folder')
        throw refused(where, path, `it is below ${folders.slice(0, depth + 1).join('/')}, which is not a folder`);
      if (found === null) this.#count(name.length);
      folder = found ?? this.#index.putImpliedFolder(folder, name, storeMode(folders.slice(0, depth), 0o755, 'folder'));
    }
    return folder;
  }

  #count(bytes: number): void {
    this.#textBytes += bytes;
    if (this.#textBytes > MAX_TEXT_BYTES)
      throw new OciPloneError(
        'INPUT_REFUSED',
        `${this.#options.where}: names and links of over ${MAX_TEXT_BYTES} bytes`,
      );
  }
}

/** A folder in the old way is a file whose name ends in a slash (POSIX pax, "ustar", typeflag). */
function typeOf({ type, name }: Header): string {
  return type === '0' && name.endsWith('/') ? '5' : type;
}

interface Place {
  readonly folder: number;
  /** The names of the folders on the way to it. */
  readonly folders: readonly string[];
  readonly name: string;
}

/** What other typeflags are, for the message. */
const KINDS: Readonly<Record<string, string>> = {
  3: 'a character device',
  4: 'a block device',
  6: 'a FIFO',
  S: 'a sparse file',
};

function assertRelative({ name, type, target }: Header, where: string): void {
  if (name.startsWith('/') || (type === '1' && target.startsWith('/'))) throw refused(where, name, 'an absolute name');
}

function assertUnambiguous(
  index: EntryIndex,
  { folder, folders, name }: Place,
  { name: path, type, target }: Header,
  where: string,
): void {
  const entry = index.find(folder, name);
  if (entry !== null && !index.isImplied(entry)) throw refused(where, path, 'a second entry of this name');
  if (type === '2' && climbsOut(folders.length, target))
    throw refused(where, path, `a link out of the image, to ${target}`);
}

function climbsOut(folders: number, target: string): boolean {
  let depth = target.startsWith('/') ? 0 : folders;
  for (const part of target.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Below /nix/store only "executable or not" counts, as in a NAR: a copied store must give the same layer. */
function storeMode(folders: readonly string[], mode: number, kind: 'file' | 'folder'): number {
  if (folders[0] !== 'nix' || folders[1] !== 'store') return mode;
  return kind === 'folder' || (mode & 0o100) !== 0 ? 0o555 : 0o444;
}

function linkTarget({ name, target }: Header, where: string): string {
  if (target === '') throw refused(where, name, 'a symbolic link to nothing');
  if (target.includes('\ufffd')) throw refused(where, name, 'a link target that is not UTF-8');
  if (target.includes('\0')) throw refused(where, name, 'a link target with a zero byte');
  if (Buffer.byteLength(target) > MAX_TARGET_BYTES)
    throw refused(where, name, `a link target of over ${MAX_TARGET_BYTES} bytes`);
  return target;
}

function hardLinkTarget(index: EntryIndex, { name, target }: Header, where: string): number {
  let found = ROOT;
  for (const part of entryName(target, where)) {
    const next = index.find(found, part);
    if (next === null) throw refused(where, name, `a hard link to ${target}, which is not there yet`);
    found = next;
  }
  if (index.kind(found) === 'folder') throw refused(where, name, 'a hard link to a folder');
  return found;
}

function tooMany(where: string, limit: number): OciPloneError {
  return new OciPloneError('INPUT_REFUSED', `${where}: the archive has more than ${limit} entries`, {
    hint: 'If it is meant to be that large, raise --max-entries.',
  });
}
