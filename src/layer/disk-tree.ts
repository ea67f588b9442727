import {
  type BigIntStats,
  type Stats,
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
} from 'node:fs';
import { OciPloneError, localError, systemCode } from '../errors.ts';
import { CHUNK_BYTES, type FileNode, type FolderNode, type Node, type SymlinkNode, byBytes } from './tree.ts';

/** Files are read one after the other into this; a promise for each of 26,000 small files costs ten times as much. */
const chunk = new Uint8Array(CHUNK_BYTES);

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
      for (const name of readable(path, () => readdirSync(path)).sort(byBytes)) {
        if (name.includes('\ufffd')) throw new OciPloneError('INPUT_REFUSED', `${path}/${name}: not a name in UTF-8`);
        const node = get(name);
        if (node === undefined) throw changed(`${path}/${name}`);
        yield [name, node];
      }
    },
  };
}

function fileOf(path: string, stats: Stats): FileNode {
  const { size } = stats;
  return {
    kind: 'file',
    mode: (stats.mode & 0o100) === 0 ? 0o444 : 0o555,
    size,
    read: () => (size > CHUNK_BYTES ? pieces(path, stats) : [whole(path, stats)]),
  };
}

/** Nearly every file is small, and one that is read at once needs no generator, which V8 keeps for long. */
function whole(path: string, stats: Stats): Uint8Array {
  const fd = readable(path, () => openSync(path, 'r'));
  try {
    readChunk(fd, 0, stats.size, path);
    assertSame(fd, stats, path);
  } finally {
    closeSync(fd);
  }
  return chunk.subarray(0, stats.size);
}

function* pieces(path: string, stats: Stats): Iterable<Uint8Array> {
  const fd = readable(path, () => openSync(path, 'r'));
  try {
    yield* readRange(fd, 0, stats.size, path);
    assertSame(fd, stats, path);
  } finally {
    closeSync(fd);
  }
}

/** Once, after all is read: it also tells what happened between the look at the file and its opening. */
function assertSame(fd: number, { ino, size, mtimeMs }: Stats, path: string): void {
  const now = fstatSync(fd);
  if (now.ino !== ino || now.size !== size || now.mtimeMs !== mtimeMs) throw changed(path);
}

/** Whether two looks at a file saw the same content, as far as the file system tells. */
export function sameFile(one: BigIntStats, other: BigIntStats): boolean {
  return one.ino === other.ino && one.size === other.size && one.mtimeNs === other.mtimeNs;
}

/**
 * Bytes `start` to `start + size` of an open file, in full chunks but for the last. The chunk is overwritten by the next
 * one.
 */
export function readRange(fd: number, start: number, size: number, path: string): Iterable<Uint8Array> {
  if (size > CHUNK_BYTES) return readChunks(fd, start, size, path);
  readChunk(fd, start, size, path);
  return [chunk.subarray(0, size)];
}

function* readChunks(fd: number, start: number, size: number, path: string): Iterable<Uint8Array> {
  for (let done = 0; done < size; done += CHUNK_BYTES) {
    const wanted = Math.min(CHUNK_BYTES, size - done);
    readChunk(fd, start + done, wanted, path);
    yield chunk.subarray(0, wanted);
  }
}

function readChunk(fd: number, start: number, size: number, path: string): void {
  for (let filled = 0; filled < size;) {
    const got = readable(path, () => readSync(fd, chunk, filled, size - filled, start + filled));
    if (got === 0) throw changed(path);
    filled += got;
  }
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes(systemCode(error))) throw changed(path);
    if (systemCode(error) === 'EACCES') throw new OciPloneError('INPUT_ABSENT', `${path}: not readable by this user`);
    throw localError(`cannot read ${path}`, error);
  }
}

function changed(path: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${path}: changed while it was read`, {
    hint: 'Pack again once nothing writes to it any more.',
  });
}
