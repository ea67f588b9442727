import { readSync } from 'node:fs';
import { type Header, extract } from 'tar-stream';
import { OciPloneError } from '../errors.ts';
import { EntryIndex, ROOT, type Spool } from './entry-index.ts';
import { entryName, refused } from './entry-name.ts';
import type { FolderNode } from './tree.ts';

const BLOCK = 512;

/** As long as a link's target may be on Linux (PATH_MAX), in bytes. */
const MAX_TARGET_BYTES = 4096;

export interface IndexTarOptions {
  /** What the archive is called in messages. */
  readonly where: string;
  readonly maxEntries: number;
  /**
   * Refuse what would mean different things to those who unpack the archive as it is: two entries of a name, absolute
   * names, links that climb out of the root.
   */
  readonly strict: boolean;
}

/**
 * Reads a tar once and returns its tree; contents stay in the spool, which holds what was read so far. Of two entries of
 * a name the last one wins; missing parents are made; a hard link becomes a file with the content its target has then.
 * Owner, times and extended attributes are policy and not looked at. Throws INPUT_REFUSED and INPUT_MALFORMED.
 */
export async function indexTar(
  tar: AsyncIterable<Uint8Array>,
  spool: Spool,
  { where, maxEntries, strict }: IndexTarOptions,
): Promise<FolderNode> {
  const index = new EntryIndex();
  const parser = extract();
  let entries = 0;
  /** Where the last entry's content ends, padding included. */
  let end = 0;
  parser.on('entry', (header, content, next) => {
    // It ends with the parser's own error, which is waited for below.
    content.on('error', () => undefined);
    try {
      assertExtensions(spool, end, content.offset, where);
      const start = content.offset + BLOCK;
      const entry = entryOf(header, where);
      if (strict) assertUnambiguous(index, entry, where);
      putEntry(index, entry, start, where);
      // Parents that no entry made count, too: a name of 4 KiB may ask for 2,000 of them.
      if (++entries > maxEntries || index.count > maxEntries) throw tooMany(where, maxEntries);
      end = start + padded(entry.size);
    } catch (error) {
      next(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    content.on('end', () => next());
    content.resume();
  });
  const closed = new Promise<void>((resolve, reject) => {
    parser.on('error', reject);
    parser.on('close', () => resolve());
  });
  closed.catch(() => undefined);

  let total = 0;
  for await (const piece of tar) {
    total += piece.length;
    if (parser.destroying) break;
    if (!parser.write(piece))
      await Promise.race([closed, new Promise((resolve) => parser.once('drain', () => resolve(null)))]);
  }
  parser.end(null);
  await closed;
  assertZeros(spool, end, total, where);
  return index.tree(spool);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** A header as all readers understand it. */
type Entry = Pick<Header, 'name' | 'type' | 'mode' | 'size' | 'linkname' | 'pax'>;

/** Throws where readers differ: whether something without content has the bytes that its size tells of. */
function entryOf(header: Header, where: string): Entry {
  const { name, mode, size, pax } = header;
  // tar-stream gives null for a size or a link's target that it cannot make sense of, and -0 for -1.
  if (!Number.isSafeInteger(size) || size < 0 || Object.is(size, -0))
    throw new OciPloneError('INPUT_MALFORMED', `${where}: an entry whose size is not a number`);
  const linkname = typeof header.linkname === 'string' ? header.linkname : '';
  // A folder in the old way: a file whose name ends in a slash (POSIX pax, "ustar", typeflag).
  const type = header.type === 'file' && name.endsWith('/') ? 'directory' : header.type;
  if (size > 0 && (type === 'directory' || type === 'link' || type === 'symlink'))
    throw refused(where, name, 'a folder or link with content');
  return { name, type, mode, size, linkname, pax };
}

/** The typeflags of headers that extend the one after them: pax, pax for all that follow, GNU's long names and links. */
const EXTENSIONS: ReadonlySet<string> = new Set(['x', 'g', 'L', 'K']);

/**
 * Between two entries there is nothing but headers that extend the second. Anything else, such as zeros, which end an
 * archive, would show other entries to other readers.
 */
function assertExtensions(spool: Spool, from: number, to: number, where: string): void {
  const block = Buffer.alloc(BLOCK);
  for (let at = from; at !== to;) {
    const whole = at < to && readSync(spool.fd, block, 0, BLOCK, at) === BLOCK;
    const type = String.fromCharCode(block[156] ?? 0);
    const size = Number.parseInt(block.toString('latin1', 124, 136), 8);
    if (!whole || !EXTENSIONS.has(type) || !(size > 0))
      throw new OciPloneError('INPUT_MALFORMED', `${where}: something other than an entry between two entries`);
    at += BLOCK + padded(size);
  }
}

function putEntry(index: EntryIndex, header: Entry, start: number, where: string): void {
  const parts = entryName(header.name, where);
  const name = parts.at(-1);
  if (name === undefined) {
    if (header.type === 'directory') return;
    throw refused(where, header.name, 'a name without a last part');
  }
  const parent = parentOf(index, parts.slice(0, -1), header.name, where);
  const mode = header.mode & 0o7777;
  if (Object.keys(header.pax ?? {}).some((key) => key.startsWith('GNU.sparse.')))
    throw refused(where, header.name, 'a sparse file');
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
      index.putFile(parent, name, storeMode(parts, mode, 'file'), start, header.size);
      return;
    case 'directory':
      index.putFolder(parent, name, storeMode(parts, mode, 'folder'));
      return;
    case 'symlink':
      index.putSymlink(parent, name, linkTarget(header, where));
      return;
    case 'link': {
      const target = hardLinkTarget(index, header, where);
      index.putCopy(parent, name, target, storeMode(parts, index.mode(target), 'file'));
      return;
    }
    default:
      throw refused(where, header.name, `a ${header.type ?? 'kind of entry'} that no image of ours needs`);
  }
}

function assertUnambiguous(index: EntryIndex, header: Entry, where: string): void {
  if (header.name.startsWith('/')) throw refused(where, header.name, 'an absolute name');
  const parts = entryName(header.name, where);
  let entry: number | null = ROOT;
  for (const part of parts) entry = entry === null ? null : index.find(entry, part);
  if (parts.length > 0 && entry !== null && !index.isImplied(entry))
    throw refused(where, header.name, 'a second entry of this name');
  if (header.type === 'symlink' && climbsOut(parts, header.linkname))
    throw refused(where, header.name, `a link out of the image, to ${header.linkname}`);
}

function climbsOut(name: readonly string[], target: string): boolean {
  let depth = target.startsWith('/') ? 0 : name.length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** Below /nix/store only "executable or not" counts, as in a NAR: a copied store must give the same layer. */
function storeMode(parts: readonly string[], mode: number, kind: 'file' | 'folder'): number {
  if (parts[0] !== 'nix' || parts[1] !== 'store' || parts.length < 3) return mode;
  return kind === 'folder' || (mode & 0o100) !== 0 ? 0o555 : 0o444;
}

function parentOf(index: EntryIndex, parts: readonly string[], name: string, where: string): number {
  let parent = ROOT;
  for (const [depth, part] of parts.entries()) {
    const found = index.find(parent, part);
    if (found !== null && index.kind(found) !== 'folder')
      throw refused(where, name, `it is below ${parts.slice(0, depth + 1).join('/')}, which is not a folder`);
    parent = found ?? index.putImpliedFolder(parent, part, storeMode(parts.slice(0, depth + 1), 0o755, 'folder'));
  }
  return parent;
}

function linkTarget(header: Entry, where: string): string {
  if (header.linkname === '') throw refused(where, header.name, 'a symbolic link to nothing');
  if (header.linkname.includes('\ufffd')) throw refused(where, header.name, 'a link target that is not UTF-8');
  if (header.linkname.includes('\0')) throw refused(where, header.name, 'a link target with a zero byte');
  if (Buffer.byteLength(header.linkname) > MAX_TARGET_BYTES)
    throw refused(where, header.name, `a link target of over ${MAX_TARGET_BYTES} bytes`);
  return header.linkname;
}

function hardLinkTarget(index: EntryIndex, header: Entry, where: string): number {
  let target = ROOT;
  for (const part of entryName(header.linkname, where)) {
    const found = index.find(target, part);
    if (found === null) throw refused(where, header.name, `a hard link to ${header.linkname}, which is not there yet`);
    target = found;
  }
  if (index.kind(target) === 'folder') throw refused(where, header.name, 'a hard link to a folder');
  return target;
}

/** After the last entry an archive has zeros, at least one block of them, and nothing else (POSIX pax, "ustar"). */
function assertZeros(spool: Spool, from: number, to: number, where: string): void {
  if (to - from < BLOCK) throw new OciPloneError('INPUT_MALFORMED', `${where}: the archive is cut off`);
  const chunk = Buffer.alloc(64 * 1024);
  for (let at = from; at < to;) {
    const got = readSync(spool.fd, chunk, 0, Math.min(chunk.length, to - at), at);
    if (got === 0) throw new OciPloneError('INPUT_MALFORMED', `${where}: changed while it was read`);
    if (chunk.subarray(0, got).some((byte) => byte !== 0))
      throw new OciPloneError('INPUT_MALFORMED', `${where}: something follows the archive's end`);
    at += got;
  }
}

function tooMany(where: string, limit: number): OciPloneError {
  return new OciPloneError('INPUT_REFUSED', `${where}: the archive has more than ${limit} entries`, {
    hint: 'If it is meant to be that large, raise --max-entries.',
  });
}
