import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SANDBOX_ID } from './etc.ts';
import type { Holding } from './holding.ts';
import type { SecretFile } from './configuration.ts';
import { lookedAt } from './paths.ts';
import type { Mask, Shown } from './shown.ts';
import { nixFolder, socketFolder } from './store.ts';
import type { Store } from './store.ts';
import { CAPABILITIES } from './user-map.ts';
import type { Workspace } from './workspace.ts';

/** Everything of the outside that one program may see. */
export interface View {
  readonly store: Store;
  /** Whether Nix was started from this machine's /nix, which then keeps its place. */
  readonly nixInNix: boolean;
  readonly workspace: Workspace;
  readonly programFolders: readonly string[];
  readonly shown: readonly Shown[];
  readonly masks: readonly Mask[];
  readonly secretFiles: readonly SecretFile[];
  /** Whether /tmp is the session's own: not where the machine's was asked for. */
  readonly privateTmp: boolean;
  /** An ssh agent's socket. */
  readonly agent: string | null;
  readonly network: boolean;
  readonly folder: string;
}

/** File descriptors on which bubblewrap waits for the map of user ids, and tells its child's process id. */
export const MAP_READY = 3;
export const CHILD_INFO = 4;

/**
 * Bubblewrap's arguments up to the program. Only `users` and `sandbox` share the machine's /proc, because the kernel lets
 * Nix mount one for its builders only where a whole one is visible (mount_too_revealing in fs/namespace.c). The `environ` of
 * processes outside stays closed there, too: they live in the parent user namespace. Elsewhere /proc is private and read-only,
 * since root's id alone may write /proc/sys.
 */
export function bubblewrapArguments(view: View, holding: Holding): readonly string[] {
  const sharesProc = holding !== 'view';
  const id = String(holding === 'users' ? 0 : SANDBOX_ID);
  const args = ['--die-with-parent', '--unshare-user', '--uid', id, '--gid', id];
  if (holding === 'users') {
    args.push('--userns-block-fd', String(MAP_READY), ...CAPABILITIES.flatMap((name) => ['--cap-add', name]));
  }
  args.push('--info-fd', String(CHILD_INFO));
  args.push('--unshare-ipc', '--unshare-uts', '--hostname', 'localhost', '--unshare-cgroup-try');
  if (!sharesProc) args.push('--unshare-pid');
  if (!view.network) args.push('--unshare-net');
  args.push(...systemFolders());
  args.push('--dev', '/dev', '--ro-bind', view.workspace.etc, '/etc');
  args.push(...(sharesProc ? ['--bind', '/proc', '/proc'] : ['--proc', '/proc', '--remount-ro', '/proc']));
  if (view.privateTmp) args.push('--bind', view.workspace.temporary, '/tmp');
  for (const folder of view.programFolders) args.push('--ro-bind', folder, folder);
  for (const { path, alias } of view.shown) {
    args.push('--ro-bind', path, path);
    if (alias !== null) args.push('--ro-bind', path, alias);
  }
  const nothing = join(view.workspace.folder, 'nothing');
  for (const { path, isFolder } of view.masks) {
    args.push(...(isFolder ? ['--tmpfs', path, '--remount-ro', path] : ['--ro-bind', nothing, path]));
  }
  args.push(...storeFolders(view));
  for (const folder of [view.workspace.home, view.workspace.temporary, view.workspace.roots]) {
    args.push('--bind', folder, folder);
  }
  for (const { source, target } of view.secretFiles) args.push('--ro-bind', source, target);
  if (view.agent !== null) args.push('--ro-bind', view.agent, view.agent);
  args.push('--chdir', view.folder, '--');
  return args;
}

function storeFolders({ store, nixInNix }: View): readonly string[] {
  const socket = socketFolder(store);
  if (store.kind === 'daemon') {
    return ['--ro-bind', '/nix', '/nix', ...(socket === null ? [] : ['--ro-bind', socket, socket])];
  }
  if (store.kind === 'chroot' && nixInNix) return ['--ro-bind', '/nix', '/nix', '--bind', store.root, store.root];
  return ['--bind', nixFolder(store), '/nix'];
}

/** What Nix is told with --store: inside, a store in a folder stands at /nix wherever that is possible. */
export function storeArgument(store: Store, nixInNix: boolean, bubblewrap: boolean): string {
  if (store.kind === 'chroot') return bubblewrap && !nixInNix ? 'local' : store.root;
  return store.kind;
}

/** /usr, and /bin, /lib … as this machine has them: links on most, folders on some, absent on a few. */
function systemFolders(): readonly string[] {
  const args: string[] = [];
  for (const path of ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    const found = lookedAt(path);
    if (found === undefined) continue;
    if (found.isSymbolicLink()) args.push('--symlink', readlinkSync(path), path);
    else args.push('--ro-bind', path, path);
  }
  return args;
}
