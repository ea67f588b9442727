import { type Extension, parsePax } from './pax-records.ts';
import { type Header, malformed, parseHeader } from './tar-block.ts';
import { BLOCK_BYTES, paddingOf } from './tar-header.ts';

/** Gets each entry, with the last word on its name, link and size, and with the place in the archive where its content begins, before that content has come. */
export type OnEntry = (entry: Header, start: number) => void;

/** Gets the content of the entry before, as it comes. */
export type OnContent = (piece: Buffer) => void;

/** Bytes of a header that extends the next one; there may be extended attributes in it. */
const MAX_EXTENSION_BYTES = 1024 * 1024;

const ZEROS = Buffer.alloc(BLOCK_BYTES);

/** The typeflags of headers that extend the one after them: pax, GNU's long names and links; and pax for all that follow. */
const EXTENSIONS: ReadonlySet<string> = new Set(['x', 'L', 'K', 'g']);

interface OpenExtension {
  readonly type: string;
  readonly content: Buffer;
  filled: number;
}

/**
 * Reads a tar as it comes, in pieces of any size, and stops at whatever readers disagree about: an archive is one thing,
 * or it is refused. Written here, since tar-stream makes a stream for each entry (a second for 26,000 of them, where this
 * takes a tenth) and guesses where a number or a record is none. Memory: one block, one extension.
 */
export class TarScanner {
  readonly #where: string;
  readonly #onEntry: OnEntry;
  readonly #onContent: OnContent | null;
  /** Bytes of the archive before the piece at hand. */
  #before = 0;
  /** Bytes still to pass by: contents, with what fills their last block; and how many of those are content. */
  #skip = 0;
  #content = 0;
  /** A block that has come in part only. */
  readonly #block: Buffer = Buffer.alloc(BLOCK_BYTES);
  #filled = 0;
  /** An extension whose content is still to come, and how much of that is there. */
  #open: OpenExtension | null = null;
  #extensions = new Map<string, Extension>();
  /** A block of zeros was seen: nothing else may follow. */
  #ended = false;

  constructor(where: string, onEntry: OnEntry, onContent: OnContent | null = null) {
    this.#where = where;
    this.#onEntry = onEntry;
    this.#onContent = onContent;
  }

  /** Throws what the entry's taker throws, and INPUT_MALFORMED. Keeps nothing of the piece. */
  push(piece: Buffer): void {
    for (let at = 0; at < piece.length;) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, piece.length - at);
        if (this.#content > 0) this.#give(piece.subarray(at, at + Math.min(passed, this.#content)));
        this.#skip -= passed;
        at += passed;
      } else if (this.#open !== null) at += this.#extend(this.#open, piece.subarray(at));
      else if (this.#ended) {
        if (!isZero(piece.subarray(at))) throw malformed(this.#where, "something follows the archive's end");
        this.#filled = (this.#filled + piece.length - at) % BLOCK_BYTES;
        at = piece.length;
      } else if (this.#filled === 0 && piece.length - at >= BLOCK_BYTES) {
        this.#header(piece.subarray(at, at + BLOCK_BYTES), this.#before + at + BLOCK_BYTES);
        at += BLOCK_BYTES;
      } else {
        const copied = piece.copy(this.#block, this.#filled, at);
        this.#filled += copied;
        at += copied;
        if (this.#filled < BLOCK_BYTES) continue;
        this.#filled = 0;
        this.#header(this.#block, this.#before + at);
      }
    }
    this.#before += piece.length;
  }

  /** Throws INPUT_MALFORMED where the archive is not complete: after its last entry it has a block of zeros, at least. */
  end(): void {
    if (!this.#ended || this.#filled > 0) throw malformed(this.#where, 'the archive is cut off');
  }

  #header(block: Buffer, start: number): void {
    if (block.equals(ZEROS)) {
      if (this.#extensions.size > 0) throw malformed(this.#where, 'a header that extends no entry');
      this.#ended = true;
      return;
    }
    const fields = parseHeader(block, this.#where);
    if (EXTENSIONS.has(fields.type)) {
      this.#begin(fields);
      return;
    }
    const entry = this.#extended(fields);
    this.#onEntry(entry, start);
    this.#skip = entry.size + paddingOf(entry.size);
    if (this.#onContent !== null) this.#content = entry.size;
  }

  #give(piece: Buffer): void {
    this.#content -= piece.length;
    this.#onContent?.(piece);
  }

  #begin({ type, size }: Header): void {
    if (size === 0) throw malformed(this.#where, 'a header that extends the next one by nothing');
    if (size > MAX_EXTENSION_BYTES)
      throw malformed(this.#where, `a header that extends the next one by over ${MAX_EXTENSION_BYTES} bytes`);
    if (type !== 'g' && (this.#extensions.has(type) || this.#extensions.has(type === 'x' ? 'L' : 'x')))
      throw malformed(this.#where, 'an entry that is extended twice');
    this.#open = { type, content: Buffer.alloc(size), filled: 0 };
  }

  #extend(open: OpenExtension, rest: Buffer): number {
    const copied = rest.copy(open.content, open.filled);
    open.filled += copied;
    if (open.filled < open.content.length) return copied;
    this.#open = null;
    this.#skip = paddingOf(open.content.length);
    const extension = extensionOf(open.type, open.content, this.#where);
    if (open.type !== 'g') this.#extensions.set(open.type, extension);
    // Some readers take it for every entry that follows, some for none.
    else if (Object.keys(extension).length > 0) throw malformed(this.#where, 'a global pax header that names entries');
    return copied;
  }

  #extended(header: Header): Header {
    // No copy: an object for each entry more is garbage that V8 takes for something to keep.
    if (this.#extensions.size === 0) return header;
    const found: Extension = Object.assign({}, ...this.#extensions.values());
    this.#extensions = new Map();
    const { path = header.name, linkpath = header.target, size = header.size, sparse = false } = found;
    return { ...header, name: path, target: linkpath, size, sparse };
  }
}

function extensionOf(type: string, content: Buffer, where: string): Extension {
  if (type === 'x' || type === 'g') return parsePax(content, where);
  const zero = content.indexOf(0);
  const text = content.toString('utf8', 0, zero < 0 ? content.length : zero);
  return type === 'L' ? { path: text } : { linkpath: text };
}

function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    if (!block.equals(ZEROS.subarray(0, block.length))) return false;
  }
  return true;
}
