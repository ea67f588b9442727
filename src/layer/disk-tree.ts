import {
  type BigIntStats,
  type Stats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { OciPloneError } from '../errors.ts';
import { changed, readRange, readable } from './read-range.ts';
import {
  CHUNK_BYTES,
  type FileNode,
  type FolderNode,
  type Node,
  type Room,
  type SymlinkNode,
  byBytes,
} from './tree.ts';

/**
 * A path on disk as a tree, with the modes that Nix gives: 0555 for folders and programs, 0444 for other files. Links are
 * links, wherever they lead. Hard links are not looked at: `auto-optimise-store` shares inodes, and a layer must not depend on that.
 */
export function diskTree(path: string): Node {
  return nodeOf(
    path,
    readable(path, () => lstatSync(path)),
  );
}

function nodeOf(path: string, stats: Stats): Node {
  if (stats.isDirectory()) return folderOf(path);
  if (stats.isSymbolicLink()) return linkOf(path);
  if (stats.isFile()) return fileOf(path, stats);
  throw new OciPloneError('INPUT_REFUSED', `${path}: a store holds files, folders and links, not this`);
}

function linkOf(path: string): SymlinkNode {
  const target = readable(path, () => readlinkSync(path));
  if (target.includes('\ufffd')) throw new OciPloneError('INPUT_REFUSED', `${path}: its target is not UTF-8`);
  return { kind: 'symlink', target };
}

function folderOf(path: string): FolderNode {
  const get = (name: string): Node | undefined => {
    const below = `${path}/${name}`;
    const stats = readable(below, () => lstatSync(below, { throwIfNoEntry: false }));
    return stats && nodeOf(below, stats);
  };
  return {
    kind: 'folder',
    mode: 0o555,
    get,
    *list() {
      const { names, kinds } = listingOf(path);
      let open: OpenFile | null = null;
      try {
        let index = 0;
        for (const name of names) {
          const kind = kinds[index++];
          const below = `${path}/${name}`;
          if (name.includes('\ufffd')) throw new OciPloneError('INPUT_REFUSED', `${below}: not a name in UTF-8`);
          if (kind === FILE) {
            open = openFile(below);
            const stats = fstatSync(open.fd);
            if (!stats.isFile()) throw changed(below);
            yield [name, fileOf(below, stats, open)];
            close(open);
            open = null;
            continue;
          }
          const node = kind === FOLDER ? folderOf(below) : kind === LINK ? linkOf(below) : get(name);
          if (node === undefined) throw changed(below);
          yield [name, node];
        }
      } finally {
        if (open !== null) close(open);
      }
    },
  };
}

const [FILE, FOLDER, LINK, OTHER] = ['f', 'd', 'l', '?'] as const;

/** Names in order, and a letter for the kind of each: node's objects for them would outlive the walk of all that is below. */
function listingOf(path: string): { readonly names: readonly string[]; readonly kinds: string } {
  const entries = readable(path, () => readdirSync(path, { withFileTypes: true }));
  entries.sort((one, other) => byBytes(one.name, other.name));
  const kinds = entries.map((entry) =>
    entry.isFile() ? FILE : entry.isDirectory() ? FOLDER : entry.isSymbolicLink() ? LINK : OTHER,
  );
  return { names: entries.map(({ name }) => name), kinds: kinds.join('') };
}

/** Whatever lies there by now: no link is followed, and no writer of a FIFO waited for. */
function openFile(path: string): OpenFile {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  return { fd: readable(path, () => openSync(path, flags)), isOpen: true };
}

interface OpenFile {
  readonly fd: number;
  isOpen: boolean;
}

function fileOf(path: string, stats: Stats, listed?: OpenFile): FileNode {
  const { size, mode } = stats;
  return {
    kind: 'file',
    mode: (mode & 0o100) === 0 ? 0o444 : 0o555,
    size,
    read(room) {
      if (listed?.isOpen !== true || size > (room?.().length ?? CHUNK_BYTES)) return readByName(path, stats, room);
      const piece = readRange(listed.fd, { start: 0, size, path }, room);
      if (stats.mtimeMs !== REGISTERED_MS) assertSame(listed.fd, stats, path);
      return piece;
    },
  };
}

function* readByName(path: string, stats: Stats, room: Room | undefined): Iterable<Uint8Array> {
  const { fd } = openFile(path);
  try {
    yield* readRange(fd, { start: 0, size: stats.size, path }, room);
    assertSame(fd, stats, path);
  } finally {
    closeSync(fd);
  }
}

/** What Nix registers in a store gets this time (canonicalisePathMetaData in its sources), and is not written to from then on. */
const REGISTERED_MS = 1000;

/** Once, after all is read: it also tells what happened between the look at the file and its opening. */
function assertSame(fd: number, { ino, size, mtimeMs }: Stats, path: string): void {
  const now = fstatSync(fd);
  if (now.ino !== ino || now.size !== size || now.mtimeMs !== mtimeMs) throw changed(path);
}

/** Whether two looks at a file saw the same content, as far as the file system tells. */
export function sameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs;
}

function close(open: OpenFile): void {
  open.isOpen = false;
  closeSync(open.fd);
}
