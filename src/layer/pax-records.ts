import { malformed } from './tar-block.ts';

/** What pax records may say of the entry that follows; times, owners and attributes are policy and not looked at. */
export interface Extension {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
  /** The entry is written without its holes, in one of GNU's ways. */
  readonly sparse?: boolean;
}

/**
 * Reads a pax header's records, `LENGTH KEY=VALUE\n` each (POSIX pax, "pax Header Block"). Of two records of a key the
 * last one counts. Throws INPUT_MALFORMED for anything else, which some readers skip and others do not.
 */
export function parsePax(content: Buffer, where: string): Extension {
  let found: Extension = {};
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? '' : content.toString('latin1', at, space);
    const end = at + Number(digits);
    const equals = content.indexOf(0x3d, space);
    if (!/^[1-9]\d*$/.test(digits) || end > content.length || content[end - 1] !== 0x0a) throw broken(where);
    if (equals <= space + 1 || equals >= end - 1) throw broken(where);
    found = withRecord(
      found,
      content.toString('utf8', space + 1, equals),
      content.toString('utf8', equals + 1, end - 1),
      where,
    );
    at = end;
  }
  return found;
}

function withRecord(found: Extension, key: string, value: string, where: string): Extension {
  if (key.startsWith('GNU.sparse.')) return { ...found, sparse: true };
  if (key !== 'path' && key !== 'linkpath' && key !== 'size') return found;
  // An empty value takes an earlier record back.
  if (value === '') return Object.fromEntries(Object.entries(found).filter(([name]) => name !== key));
  return { ...found, [key]: key === 'size' ? sizeOf(value, where) : value };
}

function sizeOf(text: string, where: string): number {
  const size = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size)) throw malformed(where, 'an entry whose size is not a number');
  return size;
}

function broken(where: string): Error {
  return malformed(where, 'a pax header that is broken');
}
