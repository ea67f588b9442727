import { type FolderNode, type Node, type Owner, file, folder, merge, withNode } from '../layer/tree.ts';
import { type Steps, resolve } from '../layer/resolve.ts';
import type { PackJob } from './options.ts';

/** World-writable with the sticky bit, without which `tempfile` refuses the folder and users remove each other's files. */
export const TMP_MODE = 0o1777;

/** For the image's user and its group, whose number an orchestrator gives to the volume (Kubernetes' fsGroup). */
const VOLUME_MODE = 0o770;

/** Where uid 1000 may write in any image, whatever else is mounted. */
const HOME = '/tmp';

/** The files that an image from scratch lacks: /tmp, and names for uid 0 and the image's user (`getpwuid` needs them). */
function defaultFiles({ defaults, user }: PackJob['image']): FolderNode {
  const nodes: [string, Node][] = [];
  if (defaults.has('tmp')) nodes.push(['tmp', folder([], TMP_MODE)]);
  if (defaults.has('passwd')) nodes.push(['etc', accounts(user)]);
  return folder(nodes);
}

/** A tree with the defaults in it; what the tree has already stays, but for the mode of /tmp and who owns a volume. */
export function withDefaults(tree: FolderNode, image: PackJob['image']): FolderNode {
  const { defaults, volumes, user } = image;
  let whole = merge(tree, defaultFiles(image));
  if (defaults.has('tmp'))
    whole = withNode(whole, ['tmp'], (node) =>
      node?.kind === 'folder' ? { ...node, mode: TMP_MODE } : (node ?? folder([], TMP_MODE)),
    );
  if (defaults.has('volumes'))
    for (const volume of volumes) whole = withNode(whole, pathOf(volume), (node) => writable(node, ownerOf(user)));
  return whole;
}

/**
 * The folder where a volume is mounted, such that its user may write to it: a new named volume takes over owner and mode
 * from the image. A folder that has something in it, or is everybody's, stays as it is.
 */
function writable(node: Node | undefined, owner: Owner): Node {
  if (node === undefined) return folder([], VOLUME_MODE, owner);
  const isPlain = node.kind === 'folder' && (node.mode & 0o002) === 0 && [...node.list()].length === 0;
  return isPlain ? { ...node, owner } : node;
}

function pathOf(volume: string): readonly string[] {
  return volume.split('/').filter((part) => part !== '');
}

function ownerOf(user: string): Owner {
  const [name = '', group = name] = user.split(':');
  return { uid: numberOr(name, 1000), gid: numberOr(group, 1000) };
}

function accounts(user: string): FolderNode {
  const { uid, gid } = ownerOf(user);
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

/** For the places of a bundle in 50,000 store paths, or in fewer that are mazes of links. */
const MAX_STEPS = 1_000_000;

/**
 * The certificate bundle of the image's own /etc, or of the first store path that has one; without any, the one that
 * certifi brings, which nearly every Python application depends on.
 */
function findCertificates(tree: FolderNode): string | null {
  const steps = { left: MAX_STEPS };
  for (const path of bundlePlaces(tree, steps)) if (resolve(tree, path, steps)?.node.kind === 'file') return path;
  return null;
}

function* bundlePlaces(tree: FolderNode, steps: Steps): Generator<string> {
  const roots: [path: string, node: Node][] = [['', tree]];
  for (const [name, node] of listed(tree, '/nix/store', steps)) roots.push([`/nix/store/${name}`, node]);
  for (const [root, node] of roots)
    if (mayLeadTo(node, ['etc', 'ssl', 'certs'])) for (const bundle of BUNDLES) yield `${root}/${bundle}`;
  for (const [root, node] of roots)
    if (mayLeadTo(node, ['lib']))
      for (const [name, below] of listed(tree, `${root}/lib`, steps))
        if (name.startsWith('python3') && mayLeadTo(below, ['site-packages', 'certifi']))
          yield `${root}/lib/${name}/site-packages/certifi/cacert.pem`;
}

function listed(tree: FolderNode, path: string, steps: Steps): Iterable<readonly [string, Node]> {
  const node = resolve(tree, path, steps)?.node;
  return node?.kind === 'folder' ? node.list() : [];
}

/** False where folders alone lead to nothing, which is seen sooner than a path is looked up; a link may lead anywhere. */
function mayLeadTo(node: Node | undefined, [name, ...rest]: readonly string[]): boolean {
  if (node?.kind !== 'folder' || name === undefined) return node !== undefined;
  return mayLeadTo(node.get(name), rest);
}
