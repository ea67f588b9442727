import { accessSync, constants, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { isWithin } from './paths.ts';

/** Where the programs are that a session starts. */
export interface Programs {
  readonly instantiate: string;
  readonly store: string;
  /** The newer program, which not every installation has. */
  readonly nix: string | null;
  /** null where bubblewrap is not to be used. */
  readonly bubblewrap: string | null;
  /** Folders outside /usr and /nix that must be shown for these programs to start. */
  readonly folders: readonly string[];
  /** Whether Nix itself is started from /nix, so that this /nix has to stay visible. */
  readonly nixInNix: boolean;
}

/** Looks along PATH. Throws NIX_ABSENT, or SANDBOX_UNAVAILABLE where bubblewrap is wanted and missing. */
export function findPrograms(
  env: Readonly<Record<string, string | undefined>>,
  sandbox: 'bubblewrap' | 'none',
): Programs {
  const instantiate = find('nix-instantiate', env);
  const store = find('nix-store', env);
  if (instantiate === null || store === null) {
    throw new OciPloneError('NIX_ABSENT', 'Nix is not installed: nix-instantiate and nix-store are not in PATH', {
      hint: 'Install Nix (Debian: apt install nix-bin), or pack a tarball instead of an expression.',
    });
  }
  const bubblewrap = sandbox === 'none' ? null : find('bwrap', env);
  if (sandbox === 'bubblewrap' && bubblewrap === null) {
    throw new OciPloneError('SANDBOX_UNAVAILABLE', 'bubblewrap is not installed: bwrap is not in PATH', {
      hint: 'Install it (Debian: apt install bubblewrap), or choose --sandbox=none if you trust the expression.',
    });
  }
  const real = [instantiate, store, bubblewrap ?? store].map((path) => realpathSync.native(path));
  const folders = [...real, instantiate, store].map((path) => dirname(path));
  return {
    instantiate,
    store,
    nix: find('nix', env),
    bubblewrap,
    folders: [...new Set(folders)].filter((folder) => !SHOWN_ANYWAY.some((top) => isWithin(folder, top))),
    nixInNix: real.slice(0, 2).some((path) => isWithin(path, '/nix')),
  };
}

const SHOWN_ANYWAY = ['/usr', '/bin', '/sbin', '/nix'];

function find(name: string, env: Readonly<Record<string, string | undefined>>): string | null {
  for (const folder of (env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(':')) {
    if (!isAbsolute(folder)) continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return lastOfThatName(path);
    } catch {
      // Not here: the next folder of PATH.
    }
  }
  return null;
}

/** Nix is one program that looks at its name, so that links are followed only as long as the name stays. */
function lastOfThatName(path: string): string {
  let current = join(realpathSync.native(dirname(path)), basename(path));
  for (let hops = 0; hops < 40; hops++) {
    let target: string;
    try {
      target = resolve(dirname(current), readlinkSync(current));
    } catch {
      return current;
    }
    if (basename(target) !== basename(path)) return current;
    current = join(realpathSync.native(dirname(target)), basename(target));
  }
  return current;
}
