/** Tars made by hand, block by block (POSIX pax, "ustar Interchange Format"), so that they can be as wrong as a test wants. */
export interface RawEntry {
  readonly name: string | Uint8Array;
  /** The typeflag; a file by default. */
  readonly type?: string;
  readonly content?: Uint8Array | string;
  /** What the header says, where it lies. Bytes are put in as they are. */
  readonly size?: number | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly linkname?: string | Uint8Array;
  readonly prefix?: string;
  readonly checksum?: number;
  readonly magic?: string;
}

const BLOCK = 512;

export const ZEROS: Buffer = Buffer.alloc(BLOCK);

/** Two blocks of zeros. */
export const END: Buffer = Buffer.alloc(2 * BLOCK);

export function entry(raw: RawEntry): Buffer {
  const content = Buffer.from(raw.content ?? '');
  return Buffer.concat([
    header(raw, content.length),
    content,
    Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
  ]);
}

function header(raw: RawEntry, length: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (text: string | Uint8Array, at: number): void => void Buffer.from(text).copy(block, at);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  const size = raw.size ?? length;
  put(raw.name, 0);
  put(octal(raw.mode ?? 0o644, 7), 100);
  put(octal(raw.uid ?? 1234, 7), 108);
  put(octal(raw.uid ?? 1234, 7), 116);
  put(typeof size === 'number' ? octal(size, 11) : size, 124);
  put(octal(1_600_000_000, 11), 136);
  put(raw.type ?? '0', 156);
  put(raw.linkname ?? '', 157);
  put(raw.magic ?? 'ustar\x0000', 257);
  put('builder', 265);
  put(raw.prefix ?? '', 345);
  put(' '.repeat(8), 148);
  const sum = raw.checksum ?? block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

export const file = (name: string | Uint8Array, content = '', mode = 0o644): Buffer => entry({ name, content, mode });
export const folder = (name: string, mode = 0o755): Buffer => entry({ name, type: '5', mode });
export const symlink = (name: string, linkname: string | Uint8Array): Buffer => entry({ name, type: '2', linkname });
export const hardLink = (name: string, linkname: string | Uint8Array): Buffer => entry({ name, type: '1', linkname });

/** A pax header for the entry that follows; `g` is one for all. */
export function pax(records: Readonly<Record<string, string | Uint8Array>>, type: 'x' | 'g' = 'x'): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
    let total = rest.length;
    while (String(total).length + rest.length !== total) total = String(total).length + rest.length;
    return Buffer.concat([Buffer.from(String(total)), rest]);
  });
  return entry({ name: 'PaxHeaders', type, content: Buffer.concat(lines) });
}

/** GNU's way to write a long name (`L`) or a long link target (`K`) before the entry it is of. */
export function gnuLong(name: string, type: 'L' | 'K' = 'L'): Buffer {
  return entry({ name: '././@LongLink', type, content: `${name}\0`, magic: 'ustar  \0' });
}

/** Entries and the end that belongs there. */
export function archive(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...parts, END]);
}

/** Offsets of a tar's blocks that are headers, by the sizes they state; ends at the first block of zeros. */
export function* headersOf(
  tar: Buffer,
): Generator<{ readonly at: number; readonly block: Buffer; readonly size: number }> {
  for (let at = 0; at < tar.length;) {
    const block = tar.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return;
    const size = Number.parseInt(block.toString('latin1', 124, 136), 8);
    yield { at, block, size };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
