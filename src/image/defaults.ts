import { type FolderNode, type Node, file, folder, merge, withFolderMode } from '../layer/tree.ts';
import { resolve } from '../layer/resolve.ts';
import type { PackJob } from './options.ts';

/** World-writable with the sticky bit, without which `tempfile` refuses the folder and users remove each other's files. */
export const TMP_MODE = 0o1777;

/** Where uid 1000 may write in any image, whatever else is mounted. */
const HOME = '/tmp';

/** The files that an image from scratch lacks: /tmp, and names for uid 0 and the image's user (`getpwuid` needs them). */
export function defaultFiles({ defaults, user }: PackJob['image']): FolderNode {
  const nodes: [string, Node][] = [];
  if (defaults.has('tmp')) nodes.push(['tmp', folder([], TMP_MODE)]);
  if (defaults.has('passwd')) nodes.push(['etc', accounts(user)]);
  return folder(nodes);
}

/** A tree with the defaults in it; what the tree has already stays, but for the mode of /tmp. */
export function withDefaults(tree: FolderNode, image: PackJob['image']): FolderNode {
  const merged = merge(tree, defaultFiles(image));
  return image.defaults.has('tmp') ? withFolderMode(merged, 'tmp', TMP_MODE) : merged;
}

function accounts(user: string): FolderNode {
  const [name = '', group = name] = user.split(':');
  const [uid, gid] = [numberOr(name, 1000), numberOr(group, 1000)];
  const passwd = [`root:x:0:0:root:/:/sbin/nologin`, `plone:x:${uid}:${gid}:plone:${HOME}:/sbin/nologin`];
  const groups = ['root:x:0:', `plone:x:${gid}:`];
  return folder([
    ['passwd', lines(uid === 0 ? passwd.slice(0, 1) : passwd)],
    ['group', lines(gid === 0 ? groups.slice(0, 1) : groups)],
  ]);
}

function numberOr(text: string, otherwise: number): number {
  return /^\d+$/.test(text) ? Number(text) : otherwise;
}

function lines(texts: readonly string[]): Node {
  return file(Buffer.from(texts.map((text) => `${text}\n`).join('')));
}

/** `NAME=value`s: the defaults that apply, then the user's, which win over a default of the same name. */
export function environment(tree: FolderNode, image: PackJob['image']): readonly string[] {
  const { defaults } = image;
  const pairs = new Map<string, string>();
  if (defaults.has('path')) pairs.set('PATH', '/app/bin');
  if (defaults.has('home')) pairs.set('HOME', HOME);
  const certificates = defaults.has('certificates') ? findCertificates(tree) : null;
  if (certificates !== null) pairs.set('SSL_CERT_FILE', certificates);
  for (const pair of image.environment) pairs.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
  return [...pairs].map(([name, value]) => `${name}=${value}`);
}

/** Where nixpkgs' cacert keeps its bundle, and where distributions do. */
const BUNDLES = ['etc/ssl/certs/ca-bundle.crt', 'etc/ssl/certs/ca-certificates.crt'];

/**
 * The certificate bundle of the image's own /etc, or of the first store path that has one; without any, the one that
 * certifi brings, which nearly every Python application depends on.
 */
function findCertificates(tree: FolderNode): string | null {
  const roots = ['', ...storeFolders(tree)];
  const candidates = [
    ...roots.flatMap((root) => BUNDLES.map((bundle) => `${root}/${bundle}`)),
    ...roots.flatMap((root) => pythons(tree, root).map((lib) => `${lib}/site-packages/certifi/cacert.pem`)),
  ];
  return candidates.find((path) => resolve(tree, path)?.node.kind === 'file') ?? null;
}

function storeFolders(tree: FolderNode): string[] {
  return names(tree, '/nix/store').map((name) => `/nix/store/${name}`);
}

function pythons(tree: FolderNode, root: string): string[] {
  const libraries = names(tree, `${root}/lib`).filter((name) => name.startsWith('python3'));
  return libraries.map((name) => `${root}/lib/${name}`);
}

function names(tree: FolderNode, path: string): string[] {
  const node = resolve(tree, path)?.node;
  return node?.kind === 'folder' ? Array.from(node.list(), ([name]) => name) : [];
}
