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
  /**
   * Exactly `size` bytes, in pieces of at most CHUNK_BYTES; a piece is valid until the next one is asked for. What has to be copied
   * into memory anyway is put into `room`. Throws where the bytes are not kept: see `Heads`.
   */
  read(room?: Room): Iterable<Uint8Array>;
}

/** Where the reader's next piece is wanted, to spare a copy: at least a byte, valid until the reader is given the next one. */
export type Room = () => Uint8Array;

export interface FolderNode {
  readonly kind: 'folder';
  readonly mode: number;
  /** Uid and gid; root's where nothing is said. */
  readonly owner?: Owner | undefined;
  /** Names without a slash, in the order of their UTF-8 bytes. */
  list(): Iterable<readonly [name: string, node: Node]>;
  get(name: string): Node | undefined;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
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
export function folder(nodes: Iterable<readonly [string, Node]>, mode = 0o755, owner?: Owner): FolderNode {
  const sorted = new Map([...nodes].sort(([one], [other]) => byBytes(one, other)));
  return { kind: 'folder', mode, owner, list: () => sorted, get: (name) => sorted.get(name) };
}

export function symlink(target: string): SymlinkNode {
  return { kind: 'symlink', target };
}

/** A file whose content is in memory. */
export function file(content: Uint8Array, mode = 0o644): FileNode {
  return { kind: 'file', mode, size: content.length, read: () => (content.length === 0 ? [] : [content]) };
}

/**
 * Two folders as one. Where both have a name, folders are merged and keep the first one's mode and owner; anything else is
 * the first one's.
 */
export function merge(first: FolderNode, second: FolderNode): FolderNode {
  const get = (name: string): Node | undefined => mergeNodes(first.get(name), second.get(name));
  return {
    kind: 'folder',
    mode: first.mode,
    owner: first.owner,
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

/**
 * The same folder with what `change` makes of the node at a path below it. Folders that are missing on the way are made;
 * where anything else is in the way, nothing changes.
 */
export function withNode(
  tree: FolderNode,
  [name = '', ...rest]: readonly string[],
  change: (node: Node | undefined) => Node,
): FolderNode {
  const get = (asked: string): Node | undefined => {
    const node = tree.get(asked);
    if (asked !== name) return node;
    if (rest.length === 0) return change(node);
    if (node !== undefined && node.kind !== 'folder') return node;
    return withNode(node ?? folder([]), rest, change);
  };
  return {
    ...tree,
    get,
    *list() {
      let isListed = false;
      for (const [other, node] of tree.list()) {
        if (!isListed && byBytes(name, other) <= 0) {
          isListed = true;
          const changed = get(name);
          if (changed !== undefined) yield [name, changed];
        }
        if (other !== name) yield [other, node];
      }
      const changed = isListed ? undefined : get(name);
      if (changed !== undefined) yield [name, changed];
    },
  };
}
