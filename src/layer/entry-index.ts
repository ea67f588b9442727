import { randomBytes } from 'node:crypto';
import { type FileNode, type FolderNode, type Node, type Room, byBytes } from './tree.ts';

/** Where the bytes of an archive's files are. */
export interface Contents {
  /** `start` is what the file was put with; see `FileNode.read`. */
  read(start: number, size: number, room?: Room): Iterable<Uint8Array>;
}

export const ROOT = 0;

const NONE = 0;
const FOLDER = 1;
const FILE = 2;
const SYMLINK = 3;

type Kind = 'folder' | 'file' | 'symlink';
const KINDS: readonly (Kind | null)[] = [null, 'folder', 'file', 'symlink'];

/** A bit of the mode that marks a folder which no entry made, but an entry below it. */
const IMPLIED = 0x8000;

/** Enough for a Plone, in 1.5 MB: to grow is to put all of them in again. */
const FIRST_CAPACITY = 32_768;

/** Where a name was looked for last. */
interface Looked {
  readonly parent: number;
  readonly name: string;
  readonly bytes: Buffer;
  readonly slot: number;
}

/**
 * The tree of an archive, in flat arrays: about 60 bytes an entry, so that 400,000 entries are 24 MB and not the 200 MB
 * that objects and maps would need. Entries are numbers; number 0 is the root. Names and link targets stand in one
 * buffer; children are found by a hash table over (parent, name).
 */
export class EntryIndex {
  #count = 1;
  #kind = new Uint8Array(FIRST_CAPACITY);
  #mode = new Uint16Array(FIRST_CAPACITY);
  /** Where the content, or a link's target, begins, and its bytes. */
  #start = new Float64Array(FIRST_CAPACITY);
  #size = new Float64Array(FIRST_CAPACITY);
  #parent = new Uint32Array(FIRST_CAPACITY);
  #nameStart = new Uint32Array(FIRST_CAPACITY);
  #nameLength = new Uint16Array(FIRST_CAPACITY);
  #firstChild = new Uint32Array(FIRST_CAPACITY);
  #nextSibling = new Uint32Array(FIRST_CAPACITY);
  #slots = new Uint32Array(FIRST_CAPACITY * 2);
  /** Unknown to whoever names the entries, who could make them collide otherwise. */
  readonly #seed = randomBytes(4).readInt32LE();
  #text = Buffer.alloc(FIRST_CAPACITY * 16);
  #textLength = 0;
  #looked: Looked | null = null;

  constructor() {
    this.#kind[ROOT] = FOLDER;
    this.#mode[ROOT] = 0o755;
  }

  /** How many entries were made, replaced ones included. */
  get count(): number {
    return this.#count - 1;
  }

  kind(entry: number): Kind | null {
    return KINDS[this.#kind[entry] ?? NONE] ?? null;
  }

  mode(entry: number): number {
    return (this.#mode[entry] ?? 0) & ~IMPLIED;
  }

  /** Whether the folder is only there because something is below it. */
  isImplied(entry: number): boolean {
    return ((this.#mode[entry] ?? 0) & IMPLIED) !== 0;
  }

  /** The entry of that name directly in a folder, or null. An entry whose kind is null was named and is gone. */
  find(parent: number, name: string): number | null {
    const entry = this.#slots[this.#look(parent, name).slot] ?? NONE;
    return entry === NONE || this.#kind[entry] === NONE ? null : entry;
  }

  /** Makes or replaces a folder. A folder that is there already keeps its children. */
  putFolder(parent: number, name: string, mode: number): number {
    const entry = this.#place(parent, name);
    this.#set(entry, FOLDER, mode, 0, 0);
    return entry;
  }

  /** Makes a folder for something below it. */
  putImpliedFolder(parent: number, name: string, mode: number): number {
    return this.putFolder(parent, name, mode | IMPLIED);
  }

  /** Makes or replaces a file; what was below it is gone. `start` is where its contents are, `size` their bytes. */
  putFile(parent: number, name: string, mode: number, start: number, size: number): number {
    const entry = this.#place(parent, name);
    this.#dropChildren(entry);
    this.#set(entry, FILE, mode, start, size);
    return entry;
  }

  putSymlink(parent: number, name: string, target: string): number {
    const entry = this.#place(parent, name);
    this.#dropChildren(entry);
    const bytes = Buffer.from(target);
    this.#set(entry, SYMLINK, 0o777, this.#addText(bytes), bytes.length);
    return entry;
  }

  /** Makes or replaces an entry with what another one has now: a hard link keeps the content its target has here. */
  putCopy(parent: number, name: string, of: number, mode: number): number {
    const [kind, start, size] = [this.#kind[of], this.#start[of], this.#size[of]];
    const entry = this.#place(parent, name);
    this.#dropChildren(entry);
    this.#set(entry, kind ?? NONE, mode, start ?? 0, size ?? 0);
    return entry;
  }

  /** The tree below an entry. */
  tree(contents: Contents, entry: number = ROOT): FolderNode {
    const nodeOf = (child: number): Node | undefined => {
      const [start, size] = [this.#start[child] ?? 0, this.#size[child] ?? 0];
      switch (this.kind(child)) {
        case 'folder':
          return this.tree(contents, child);
        case 'symlink':
          return { kind: 'symlink', target: this.#text.toString('utf8', start, start + size) };
        case 'file':
          return fileIn(contents, this.mode(child), start, size);
        case null:
          return undefined;
      }
    };
    const get = (name: string): Node | undefined => {
      const child = this.find(entry, name);
      return child === null ? undefined : nodeOf(child);
    };
    const names = (): string[] => this.#names(entry).sort(byBytes);
    return {
      kind: 'folder',
      mode: this.mode(entry),
      get,
      *list() {
        for (const name of names()) {
          const node = get(name);
          if (node !== undefined) yield [name, node];
        }
      },
    };
  }

  #names(parent: number): string[] {
    const names: string[] = [];
    for (let child = this.#firstChild[parent] ?? NONE; child !== NONE; child = this.#nextSibling[child] ?? NONE)
      names.push(this.#name(child).toString('utf8'));
    return names;
  }

  #name(entry: number): Buffer {
    const start = this.#nameStart[entry] ?? 0;
    return this.#text.subarray(start, start + (this.#nameLength[entry] ?? 0));
  }

  #isNamed(entry: number, name: Buffer): boolean {
    const start = this.#nameStart[entry] ?? 0;
    const length = this.#nameLength[entry] ?? 0;
    return length === name.length && this.#text.compare(name, 0, length, start, start + length) === 0;
  }

  /** The number of (parent, name), made if it is new. */
  #place(parent: number, name: string): number {
    if ((this.#count + 1) * 2 > this.#slots.length) this.#growSlots();
    const { bytes, slot } = this.#look(parent, name);
    const known = this.#slots[slot] ?? NONE;
    if (known !== NONE) {
      if (this.#kind[known] === NONE) this.#link(parent, known);
      return known;
    }

    if (this.#count === this.#kind.length) this.#growEntries();
    const entry = this.#count++;
    this.#slots[slot] = entry;
    this.#parent[entry] = parent;
    this.#nameStart[entry] = this.#addText(bytes);
    this.#nameLength[entry] = bytes.length;
    this.#link(parent, entry);
    return entry;
  }

  #link(parent: number, entry: number): void {
    this.#nextSibling[entry] = this.#firstChild[parent] ?? NONE;
    this.#firstChild[parent] = entry;
  }

  #set(entry: number, kind: number, mode: number, start: number, size: number): void {
    this.#kind[entry] = kind;
    this.#mode[entry] = mode;
    this.#start[entry] = start;
    this.#size[entry] = size;
  }

  /** What is gone keeps its number and its slot, so that a later entry of the same name finds them again. */
  #dropChildren(entry: number): void {
    for (let child = this.#firstChild[entry] ?? NONE; child !== NONE; child = this.#nextSibling[child] ?? NONE) {
      this.#dropChildren(child);
      this.#kind[child] = NONE;
    }
    this.#firstChild[entry] = NONE;
  }

  /** Whoever asks for a name mostly puts it next. */
  #look(parent: number, name: string): Looked {
    const last = this.#looked;
    if (last !== null && last.parent === parent && last.name === name) return last;
    const bytes = Buffer.from(name);
    return (this.#looked = { parent, name, bytes, slot: this.#slot(parent, bytes) });
  }

  /** The slot that holds (parent, name), or the free one where it belongs. */
  #slot(parent: number, name: Buffer): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(this.#seed ^ parent, name) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] ?? NONE;
      if (entry === NONE) return slot;
      if (this.#parent[entry] === parent && this.#isNamed(entry, name)) return slot;
    }
  }

  #growSlots(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    this.#looked = null;
    for (let entry = 1; entry < this.#count; entry++)
      this.#slots[this.#slot(this.#parent[entry] ?? ROOT, this.#name(entry))] = entry;
  }

  #growEntries(): void {
    const capacity = this.#kind.length * 2;
    this.#kind = grown(this.#kind, new Uint8Array(capacity));
    this.#mode = grown(this.#mode, new Uint16Array(capacity));
    this.#start = grown(this.#start, new Float64Array(capacity));
    this.#size = grown(this.#size, new Float64Array(capacity));
    this.#parent = grown(this.#parent, new Uint32Array(capacity));
    this.#nameStart = grown(this.#nameStart, new Uint32Array(capacity));
    this.#nameLength = grown(this.#nameLength, new Uint16Array(capacity));
    this.#firstChild = grown(this.#firstChild, new Uint32Array(capacity));
    this.#nextSibling = grown(this.#nextSibling, new Uint32Array(capacity));
  }

  #addText(bytes: Buffer): number {
    while (this.#textLength + bytes.length > this.#text.length)
      this.#text = grown(this.#text, Buffer.alloc(this.#text.length * 2));
    const start = this.#textLength;
    bytes.copy(this.#text, start);
    this.#textLength += bytes.length;
    return start;
  }
}

function fileIn(contents: Contents, mode: number, start: number, size: number): FileNode {
  return { kind: 'file', mode, size, read: (room) => contents.read(start, size, room) };
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** FNV-1a over the name, begun with a seed. */
function hashOf(seed: number, name: Buffer): number {
  let hash = Math.imul(seed ^ 0x811c9dc5, 0x01000193);
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
