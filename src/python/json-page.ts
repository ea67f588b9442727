/** A JSON page taken apart: all of it but its list of files, and the list's items, each as JSON. */
export interface JsonPage {
  /** The page with an empty list, as JSON. */
  readonly head: string;
  /** Null where the page has no list of files. */
  readonly items: Iterable<string> | null;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);
const LIST = 0x5b;

/**
 * Finds the list `files` of a page's outermost object. A page may list thousands of files: read as one value they would all
 * be in memory at once, several times the size of the text, 16 pages at a time.
 */
export function splitJsonPage(bytes: Buffer): JsonPage {
  const start = findList(bytes);
  if (start === null) return { head: bytes.toString('utf8'), items: null };
  const cuts = findCuts(bytes, start);
  const end = cuts.at(-1) ?? bytes.length;
  return {
    head: `${bytes.toString('utf8', 0, start)}[${bytes.toString('utf8', end)}`,
    items: itemsOf(bytes, start, cuts),
  };
}

/** Where the list begins: at the bracket. */
function findList(bytes: Buffer): number | null {
  let depth = 0;
  let key = '';
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      const end = endOfString(bytes, at);
      if (depth === 1 && end - at < 20) key = bytes.toString('utf8', at, end + 1);
      at = end;
    } else if (depth === 1 && byte === LIST && key === '"files"') return at;
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) depth -= 1;
    else if (depth === 1 && byte === COMMA) key = '';
  }
  return null;
}

/** Where the items end: at the commas between them, and at the bracket behind the last one. */
function findCuts(bytes: Buffer, start: number): readonly number[] {
  const cuts: number[] = [];
  let depth = 0;
  for (let at = start; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (OPENING.has(byte)) depth += 1;
    else if (CLOSING.has(byte)) {
      depth -= 1;
      if (depth === 0) return [...cuts, at];
    } else if (byte === COMMA && depth === 1) cuts.push(at);
  }
  // Cut off: the head, which then has no end, tells.
  return cuts;
}

function* itemsOf(bytes: Buffer, start: number, cuts: readonly number[]): Generator<string> {
  let from = start + 1;
  for (const cut of cuts) {
    const item = bytes.toString('utf8', from, cut).trim();
    if (item !== '' || cuts.length > 1) yield item;
    from = cut + 1;
  }
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
