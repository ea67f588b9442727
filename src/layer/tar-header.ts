import type { Owner } from './tree.ts';

/**
 * Headers of a tar as POSIX has them (pax, "ustar Interchange Format" and "pax Header Block"). Written here and not by
 * tar-stream: these bytes are in every digest, and a stream for each of 400,000 entries is more
 * garbage than the headers are bytes.
 */
export interface TarEntry {
  /** With a slash at the end for a folder. */
  readonly name: string;
  readonly type: 'file' | 'folder' | 'symlink';
  readonly mode: number;
  /** Bytes of content; 0 for anything but a file. */
  readonly size: number;
  /** A link's target, verbatim; empty for anything else. */
  readonly target: string;
  readonly owner?: Owner | undefined;
}

/** Bytes of a tar's block. */
export const BLOCK_BYTES = 512;

/**
 * The time of every entry, in seconds: 1, as in Nix's store. 0 would make timestamp `.pyc` files stale, whose sources
 * Nix dates 1.
 */
const MTIME_SECONDS = 1;

/** Root owns all but the folders of volumes: uid 1000 runs the image and must not be able to change it. */
const ROOT: Owner = { uid: 0, gid: 0 };

const TYPE_FLAGS = { file: 0x30, folder: 0x35, symlink: 0x32 } as const;
const PAX_TYPE_FLAG = 0x78;
const SLASH = 0x2f;

/** The same for every entry: a name made from the entry's own, or a process number, would be one more thing to vary. */
const PAX_NAME = 'PaxHeader';

/** What eleven octal digits hold: 8 GiB. */
const MAX_SIZE = 0o77777777777;

/** What seven octal digits hold. */
const MAX_ID = 0o7777777;

/**
 * The blocks that stand before an entry's content: a header, and a PAX header before it where ustar has no room. They are
 * overwritten by the next ones, and nothing is made for an entry that ustar has room for: what V8 keeps of 50,000 entries
 * before it looks for garbage is otherwise 60 MB.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const { name, type, mode, size, target, owner = ROOT } = entry;
  const cut = isAscii(name) ? cutOf(name) : NO_ROOM;
  const shortTarget = target.length <= 100 && isAscii(target);
  if (cut === NO_ROOM || !shortTarget || size > MAX_SIZE || owner.uid > MAX_ID || owner.gid > MAX_ID)
    return extended(entry, owner, cut, shortTarget);
  return block(name, cut, templateOf(mode, TYPE_FLAGS[type], owner), size, target);
}

function extended(
  { name, type, mode, size, target }: TarEntry,
  owner: Owner,
  cut: number,
  shortTarget: boolean,
): Buffer {
  const records = [
    ...(size > MAX_SIZE ? [paxRecord('size', String(size))] : []),
    ...(owner.uid > MAX_ID ? [paxRecord('uid', String(owner.uid))] : []),
    ...(owner.gid > MAX_ID ? [paxRecord('gid', String(owner.gid))] : []),
    ...(cut === NO_ROOM ? [paxRecord('path', name)] : []),
    ...(shortTarget ? [] : [paxRecord('linkpath', target)]),
  ];
  const content = Buffer.from(records.join(''));
  const pax = Buffer.from(block(PAX_NAME, 0, templateOf(0o644, PAX_TYPE_FLAG, ROOT), content.length, ''));
  const padding = Buffer.alloc(paddingOf(content.length));
  const ids = { uid: owner.uid > MAX_ID ? 0 : owner.uid, gid: owner.gid > MAX_ID ? 0 : owner.gid };
  const [ownName, ownCut] = cut === NO_ROOM ? [PAX_NAME, 0] : [name, cut];
  const ownSize = size > MAX_SIZE ? 0 : size;
  return Buffer.concat([
    pax,
    content,
    padding,
    block(ownName, ownCut, templateOf(mode, TYPE_FLAGS[type], ids), ownSize, shortTarget ? target : ''),
  ]);
}

/** Zeros after a content of so many bytes, up to a whole block. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** A header, and behind it a name before it is cut. */
const memory: Buffer = Buffer.alloc(2 * BLOCK_BYTES);
const header: Buffer = memory.subarray(0, BLOCK_BYTES);

/** What is the same in the headers of nearly all entries of a kind, with spaces where a header's sum will be. */
interface Template {
  readonly bytes: Buffer;
  readonly sum: number;
}

/** Those of root's, by mode and type: nearly always a handful. */
const templates = new Map<number, Template>();

function templateOf(mode: number, flag: number, owner: Owner): Template {
  if (owner.uid !== 0 || owner.gid !== 0) return template(mode, flag, owner);
  const key = mode * 256 + flag;
  const known = templates.get(key);
  if (known !== undefined) return known;
  const made = template(mode, flag, owner);
  templates.set(key, made);
  return made;
}

function template(mode: number, flag: number, { uid, gid }: Owner): Template {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const write = (text: string, at: number): void => void bytes.write(text, at, 'latin1');
  for (const [value, at] of [
    [mode, 100],
    [uid, 108],
    [gid, 116],
  ] as const)
    write(value.toString(8).padStart(7, '0'), at);
  write(MTIME_SECONDS.toString(8).padStart(11, '0'), 136);
  bytes.fill(0x20, 148, 156);
  bytes[156] = flag;
  write('ustar\u000000', 257);
  write('0000000', 329);
  write('0000000', 337);
  return { bytes, sum: sumOf(bytes, 0, BLOCK_BYTES) };
}

/** Nothing is made for it, which would be garbage. */
function block(name: string, cut: number, { bytes, sum }: Template, size: number, target: string): Buffer {
  header.set(bytes);
  const end = BLOCK_BYTES + memory.write(name, BLOCK_BYTES, 'latin1');
  const start = BLOCK_BYTES + (cut === 0 ? 0 : cut + 1);
  memory.copyWithin(0, start, end);
  if (cut > 0) memory.copyWithin(345, BLOCK_BYTES, BLOCK_BYTES + cut);
  let all = sum + sumOf(memory, BLOCK_BYTES, end) - (cut === 0 ? 0 : SLASH);
  if (target !== '') all += sumOf(memory, 157, 157 + memory.write(target, 157, 'latin1'));
  all += octal(size, 124, 11);
  octal(all, 148, 6);
  header[154] = 0;
  return header;
}

/** The sum of a part's bytes. */
export function sumOf(bytes: Buffer, from: number, to: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) sum += bytes[index] ?? 0;
  return sum;
}

/** Digits with leading zeros; what they add to the sum. */
function octal(value: number, start: number, digits: number): number {
  let [rest, sum] = [value, 0];
  for (let index = start + digits - 1; index >= start; index--) {
    sum += header[index] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
  return sum;
}

const NO_ROOM = -1;

/** The slash at which a name is cut into ustar's two fields of 155 and 100 bytes; 0 where it needs only the second. */
function cutOf(name: string): number {
  if (name.length <= 100) return 0;
  // The first slash that leaves at most 100; the one at a folder's end is part of its name.
  const slash = name.indexOf('/', name.length - 101);
  return slash < 1 || slash > 155 || slash === name.length - 1 ? NO_ROOM : slash;
}

/** `LENGTH KEY=VALUE\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length > length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}
