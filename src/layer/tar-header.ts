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

const TYPE_FLAGS = { file: '0', folder: '5', symlink: '2' } as const;
const PAX_TYPE_FLAG = 'x';

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
  return block(name, cut, mode, owner, size, target, TYPE_FLAGS[type]);
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
  const pax = Buffer.from(block(PAX_NAME, 0, 0o644, ROOT, content.length, '', PAX_TYPE_FLAG));
  const padding = Buffer.alloc(paddingOf(content.length));
  const ids = { uid: owner.uid > MAX_ID ? 0 : owner.uid, gid: owner.gid > MAX_ID ? 0 : owner.gid };
  const [ownName, ownCut] = cut === NO_ROOM ? [PAX_NAME, 0] : [name, cut];
  const ownSize = size > MAX_SIZE ? 0 : size;
  return Buffer.concat([
    pax,
    content,
    padding,
    block(ownName, ownCut, mode, ids, ownSize, shortTarget ? target : '', TYPE_FLAGS[type]),
  ]);
}

/** Zeros after a content of so many bytes, up to a whole block. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

/** What is the same in every header: the time, the device numbers, the magic; and spaces where its sum will be. */
const TEMPLATE: Buffer = template();
const TEMPLATE_SUM: number = TEMPLATE.reduce((sum, byte) => sum + byte, 0);

const bytes: Buffer = Buffer.alloc(BLOCK_BYTES);

function template(): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(MTIME_SECONDS.toString(8).padStart(11, '0'), 136, 'latin1');
  header.fill(0x20, 148, 156);
  header.write('ustar\u000000', 257, 'latin1');
  header.write('0000000', 329, 'latin1');
  header.write('0000000', 337, 'latin1');
  return header;
}

/** Byte by byte, and of fields that are no object's: each of either would be garbage. */
function block(
  name: string,
  cut: number,
  mode: number,
  owner: Owner,
  size: number,
  target: string,
  flag: string,
): Buffer {
  bytes.set(TEMPLATE);
  const sum =
    TEMPLATE_SUM +
    ascii(name, cut === 0 ? 0 : cut + 1, name.length, 0) +
    octal(mode, 100, 7) +
    octal(owner.uid, 108, 7) +
    octal(owner.gid, 116, 7) +
    octal(size, 124, 11) +
    ascii(flag, 0, 1, 156) +
    ascii(target, 0, target.length, 157) +
    ascii(name, 0, cut, 345);
  octal(sum, 148, 6);
  bytes[154] = 0;
  return bytes;
}

/** Writes a part of an ASCII text that has room; what it adds to the sum of the header's bytes. */
function ascii(whole: string, from: number, to: number, start: number): number {
  let sum = 0;
  for (let index = from; index < to; index++) sum += bytes[start + index - from] = whole.charCodeAt(index);
  return sum;
}

/** Digits with leading zeros; what they add to the sum. */
function octal(value: number, start: number, digits: number): number {
  let [rest, sum] = [value, 0];
  for (let index = start + digits - 1; index >= start; index--) {
    sum += bytes[index] = 0x30 + (rest % 8);
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
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
