import type { Owner } from './tree.ts';

/**
 * Headers of a tar as POSIX has them (pax, "ustar Interchange Format" and "pax Header Block"). Written here and not by
 * tar-stream, whose reader we use: these bytes are in every digest, and a stream for each of 400,000 entries is more
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
 * overwritten by the next ones: a buffer for each of 50,000 entries is 60 MB of garbage before V8 looks for any.
 */
export function tarHeader(entry: TarEntry): Buffer {
  const { name, type, mode, size, target, owner = ROOT } = entry;
  const place = isAscii(name) ? split(name) : null;
  const shortTarget = isAscii(target) && target.length <= 100;
  const records = [
    ...(size > MAX_SIZE ? [paxRecord('size', String(size))] : []),
    ...(owner.uid > MAX_ID ? [paxRecord('uid', String(owner.uid))] : []),
    ...(owner.gid > MAX_ID ? [paxRecord('gid', String(owner.gid))] : []),
    ...(place === null ? [paxRecord('path', name)] : []),
    ...(shortTarget ? [] : [paxRecord('linkpath', target)]),
  ];
  const own = block({
    ...(place ?? { name: PAX_NAME, prefix: '' }),
    mode,
    owner: { uid: owner.uid > MAX_ID ? 0 : owner.uid, gid: owner.gid > MAX_ID ? 0 : owner.gid },
    size: size > MAX_SIZE ? 0 : size,
    target: shortTarget ? target : '',
    flag: TYPE_FLAGS[type],
  });
  if (records.length === 0) return own;
  const content = Buffer.from(records.join(''));
  const after = Buffer.concat([content, Buffer.alloc(paddingOf(content.length)), own]);
  const pax = block({
    name: PAX_NAME,
    prefix: '',
    mode: 0o644,
    owner: ROOT,
    size: content.length,
    target: '',
    flag: PAX_TYPE_FLAG,
  });
  return Buffer.concat([pax, after]);
}

/** Zeros after a content of so many bytes, up to a whole block. */
export function paddingOf(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

interface Fields {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly owner: Owner;
  readonly size: number;
  readonly target: string;
  readonly flag: string;
}

const bytes: Buffer = template();

/** What is the same in every header: the time, the device numbers, the magic. */
function template(): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(MTIME_SECONDS.toString(8).padStart(11, '0'), 136, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write('0000000', 329, 'latin1');
  header.write('0000000', 337, 'latin1');
  return header;
}

/** Byte by byte: a closure has 35,000 of these, and each string that is made for a field is garbage. */
function block({ name, prefix, mode, owner, size, target, flag }: Fields): Buffer {
  field(name, 0, 100);
  octal(mode, 100, 7);
  octal(owner.uid, 108, 7);
  octal(owner.gid, 116, 7);
  octal(size, 124, 11);
  bytes.fill(0x20, 148, 156);
  field(flag, 156, 1);
  field(target, 157, 100);
  field(prefix, 345, 155);
  let sum = 0;
  for (let index = 0; index < BLOCK_BYTES; index++) sum += bytes[index] ?? 0;
  octal(sum, 148, 6);
  bytes[154] = 0;
  return bytes;
}

/** ASCII, filled up with zeros. */
function field(value: string, start: number, length: number): void {
  for (let index = 0; index < length; index++)
    bytes[start + index] = index < value.length ? value.charCodeAt(index) : 0;
}

/** Digits with leading zeros; the rest of a field's bytes stay as they are. */
function octal(value: number, start: number, digits: number): void {
  let rest = value;
  for (let index = start + digits - 1; index >= start; index--) {
    bytes[index] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

/** A name in ustar's two fields of 100 and 155 bytes, cut at a slash; null where it does not fit. */
function split(name: string): Pick<Fields, 'name' | 'prefix'> | null {
  if (name.length <= 100) return { name, prefix: '' };
  // The first slash that leaves at most 100; the one at a folder's end is part of its name.
  const slash = name.indexOf('/', name.length - 101);
  if (slash < 1 || slash > 155 || slash === name.length - 1) return null;
  return { name: name.slice(slash + 1), prefix: name.slice(0, slash) };
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
