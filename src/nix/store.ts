import { accessSync, constants, existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { localError, OciPloneError } from '../errors.ts';
import { isWithin } from './paths.ts';

/** The store a session works with. Names are /nix/store/… in each of them, whatever the folder on disk. */
export type Store =
  /** This machine's own /nix, written by Nix itself. */
  | { readonly kind: 'local' }
  /** Another folder that holds nix/store and nix/var, as Nix's own `--store FOLDER` lays it out. */
  | { readonly kind: 'chroot'; readonly root: string }
  /** This machine's /nix, written by the Nix daemon behind this socket. */
  | { readonly kind: 'daemon'; readonly socket: string };

export const STORE_FOLDER = '/nix/store';
const SOCKET = '/nix/var/nix/daemon-socket/socket';
const STORE_PATH = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+._?=-]+/;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The store that was asked for; without one the first that can be written: /nix, the daemon, a folder of the user's own.
 * NIX_REMOTE counts as asking, as it does for Nix. Throws USAGE, INPUT_ABSENT and LOCAL_IO.
 */
export function openStore(wanted: string | undefined, env: Env): Store {
  const store = chooseStore(wanted ?? env['NIX_REMOTE'] ?? '', env);
  if (store.kind !== 'chroot') return store;
  try {
    mkdirSync(join(store.root, 'nix'), { recursive: true });
    return { kind: 'chroot', root: realpathSync.native(store.root) };
  } catch (error) {
    throw localError(`making a Nix store in ${store.root}`, error);
  }
}

function chooseStore(wanted: string, env: Env): Store {
  const socket = wanted.startsWith('unix://') ? wanted.slice(7) : (env['NIX_DAEMON_SOCKET_PATH'] ?? SOCKET);
  if (wanted === 'daemon' || wanted.startsWith('unix://')) {
    if (!isAbsolute(socket)) throw new OciPloneError('USAGE', `"--store" expected a socket's full path, got ${wanted}`);
    if (existsSync(socket)) return { kind: 'daemon', socket };
    throw new OciPloneError('INPUT_ABSENT', `there is no Nix daemon: ${socket} does not exist`, {
      hint: 'Start the daemon, or name a folder of your own with --store.',
    });
  }
  if (wanted === 'local') return { kind: 'local' };
  if (wanted === '' || wanted === 'auto') {
    if (isWritable('/nix')) return { kind: 'local' };
    if (existsSync(socket)) return { kind: 'daemon', socket };
    return { kind: 'chroot', root: join(dataHome(env), 'nix', 'root') };
  }
  if (/^[a-z0-9+-]+:|^[^/.]*\?/.test(wanted)) {
    throw new OciPloneError('USAGE', `"--store" expected a folder, "local" or "daemon", got ${wanted}`, {
      hint: 'Stores of other machines are for builders and substituters: see --nix-option.',
    });
  }
  const root = resolve(wanted);
  return root === '/' ? { kind: 'local' } : { kind: 'chroot', root };
}

/** The data folder of the user, as the XDG base directory specification has it. Throws USAGE. */
function dataHome(env: Env): string {
  const named = env['XDG_DATA_HOME'];
  if (named !== undefined && isAbsolute(named)) return named;
  const home = env['HOME'];
  if (home !== undefined && isAbsolute(home)) return join(home, '.local', 'share');
  throw new OciPloneError('USAGE', 'no place for a Nix store: /nix cannot be written, and HOME is not set', {
    hint: 'Name a folder with --store.',
  });
}

/** Where a store's /nix lies on disk. */
export function nixFolder(store: Store): string {
  return store.kind === 'chroot' ? join(store.root, 'nix') : '/nix';
}

/** Where a path of the store lies on disk. */
export function onDisk(store: Store, path: string): string {
  return store.kind === 'chroot' ? `${store.root}${path}` : path;
}

/** The file in which Nix keeps a build's log, unless it was told to compress it. */
export function logFile(store: Store, derivation: string): string {
  const name = derivation.slice(STORE_FOLDER.length + 1);
  return join(nixFolder(store), 'var/log/nix/drvs', name.slice(0, 2), name.slice(2));
}

/**
 * The name that a store path has in every store, from that name or from its place on disk. Throws INPUT_MALFORMED for
 * anything else, also for a path inside a store path: half of one is no closure.
 */
export function storePathOf(store: Store, path: string): string {
  const inRoot = store.kind === 'chroot' && isWithin(path, store.root) ? path.slice(store.root.length) : path;
  const found = STORE_PATH.exec(inRoot)?.[0];
  if (found === inRoot) return found;
  throw new OciPloneError('INPUT_MALFORMED', `${path} is not a store path`, {
    hint: found === undefined ? 'A store path looks like /nix/store/<32 characters>-<name>.' : `Name ${found} itself.`,
  });
}

/** Whether a text is a store path, and nothing else. */
export function isStorePath(text: string): boolean {
  return STORE_PATH.exec(text)?.[0] === text;
}

/**
 * The group that Nix is to give the store's folder to: the one that has it, since a store that is shared with a daemon must
 * keep its own, else the machine's `nixbld`. null where there is none.
 */
export function storeGroup(store: Store): number | null {
  const folder = orNull(() => statSync(onDisk(store, STORE_FOLDER)));
  if (folder !== null && folder.gid !== 0) return folder.gid;
  const groups = orNull(() => readFileSync('/etc/group', 'utf8')) ?? '';
  const gid = /^nixbld:[^:]*:(\d+):/m.exec(groups)?.[1];
  return gid === undefined ? null : Number(gid);
}

/** The folder that must be visible for the daemon to be reached, where /nix does not hold it. */
export function socketFolder(store: Store): string | null {
  return store.kind === 'daemon' && !isWithin(store.socket, '/nix') ? dirname(store.socket) : null;
}

function isWritable(folder: string): boolean {
  const store = join(folder, 'store');
  try {
    accessSync(existsSync(store) ? store : folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** What cannot be seen counts as absent. */
function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
