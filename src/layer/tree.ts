/**
 * What a layer is made of, wherever it comes from: a store on disk, an archive's index, a few made-up files. Folders are
 * listed lazily and in order, so that a walk holds one folder a level and not the whole closure.
 */
export type Node = FileNode | FolderNode | SymlinkNode;

export interface FileNode {
  readonly kind: 'file';
  /** Permission bits only. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** Exactly `size` bytes, in pieces of CHUNK_BYTES but for the last; a piece is valid until the next one is asked for. */
  read(): Iterable<Uint8Array>;
}

export interface FolderNode {
  readonly kind: 'folder';
  readonly mode: number;
  /** Names without a slash, in the order of their UTF-8 bytes. */
  list(): Iterable<readonly [name: string, node: Node]>;
  get(name: string): Node | undefined;
}

export interface SymlinkNode {
  readonly kind: 'symlink';
  /** Verbatim. */
  readonly target: string;
}

/** The most bytes of a file that are in memory at once. */
export const CHUNK_BYTES: number = 1024 * 1024;

/**
 * The order of UTF-8 bytes, which is the order of code points; neither locale nor file system has a say. Plain `<`
 * compares UTF-16 units, where a surrogate pair sorts before U+E000.
 */
export function byBytes(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [one.charCodeAt(index), other.charCodeAt(index)];
    if (left !== right) return rank(left) - rank(right);
  }
  return one.length - other.length;
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** A folder whose nodes are given; the order of the pairs does not matter. */
export function folder(nodes: Iterable<readonly [string, Node]>, mode = 0o755): FolderNode {
  const sorted = new Map([...nodes].sort(([one], [other]) => byBytes(one, other)));
  return { kind: 'folder', mode, list: () => sorted, get: (name) => sorted.get(name) };
}

export function symlink(target: string): SymlinkNode {
  return { kind: 'symlink', target };
}

/** A file whose content is in memory. */
export function file(content: Uint8Array, mode = 0o644): FileNode {
  return { kind: 'file', mode, size: content.length, read: () => (content.length === 0 ? [] : [content]) };
}

/**
 * Two folders as one. Where both have a name, folders are merged and keep the first one's mode; anything else is the
 * first one's.
 */
export function merge(first: FolderNode, second: FolderNode): FolderNode {
  const get = (name: string): Node | undefined => mergeNodes(first.get(name), second.get(name));
  return {
    kind: 'folder',
    mode: first.mode,
    get,
    *list() {
      const names = new Set<string>();
      for (const [name] of first.list()) names.add(name);
      for (const [name] of second.list()) names.add(name);
      for (const name of [...names].sort(byBytes)) {
        const node = get(name);
        if (node !== undefined) yield [name, node];
      }
    },
  };
}

function mergeNodes(one: Node | undefined, other: Node | undefined): Node | undefined {
  if (one?.kind === 'folder' && other?.kind === 'folder') return merge(one, other);
  return one ?? other;
}

/** The same folder with another mode for one of the folders directly in it, if it is there. */
export function withFolderMode(tree: FolderNode, child: string, mode: number): FolderNode {
  const change = (name: string, node: Node): Node =>
    name === child && node.kind === 'folder' ? { ...node, mode } : node;
  return {
    ...tree,
    get: (name) => {
      const node = tree.get(name);
      return node && change(name, node);
    },
    *list() {
      for (const [name, node] of tree.list()) yield [name, change(name, node)];
    },
  };
}
