import { writeTar } from '../../src/layer/tar.ts';
import { type FolderNode, type Node, file, folder, symlink } from '../../src/layer/tree.ts';

/** A tree written down: a text is a file, `-> x` a link, `+x …` a program, an object a folder. */
export interface Written {
  readonly [name: string]: string | Written;
}

export function written(tree: Written): FolderNode {
  return folder(
    Object.entries(tree).map(([name, node]) => [name, typeof node === 'string' ? leaf(node) : written(node)]),
  );
}

function leaf(text: string): Node {
  if (text.startsWith('-> ')) return symlink(text.slice(3));
  if (text.startsWith('+x ')) return file(Buffer.from(text.slice(3)), 0o755);
  return file(Buffer.from(text));
}

/** What a tree holds, in the order it is listed in: paths with modes and contents. */
export function lines(root: FolderNode, prefix = ''): string[] {
  return [...root.list()].flatMap(([name, node]) => {
    const path = `${prefix}${name}`;
    switch (node.kind) {
      case 'folder':
        return [`${path}/ ${node.mode.toString(8)}`, ...lines(node, `${path}/`)];
      case 'symlink':
        return [`${path} -> ${node.target}`];
      case 'file':
        return [`${path} ${node.mode.toString(8)} ${content(node).toString()}`];
    }
  });
}

export function content(node: Node | undefined): Buffer {
  if (node?.kind !== 'file') throw new Error(`not a file: ${node?.kind}`);
  return Buffer.concat(Array.from(node.read(), (piece) => Uint8Array.from(piece)));
}

/** The tar of a tree, as a layer has it. */
export async function tarOf(root: FolderNode): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  const write = (piece: Uint8Array): void => void pieces.push(Uint8Array.from(piece));
  await writeTar(root, { write, ready: () => undefined }, { hashed: new Set() });
  return Buffer.concat(pieces);
}
