import { lstatSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { localError, OciPloneError, systemCode } from '../errors.ts';
import { isWithin, lookedAt, realPaths } from './paths.ts';

/** Something of this machine that the sandbox may read. */
export interface Shown {
  /** The real path, which is also its name inside. */
  readonly path: string;
  /** The name it was asked by, where that differs: both work inside. */
  readonly alias: string | null;
}

/** A place of credentials below something that is shown: covered inside. */
export interface Mask {
  readonly path: string;
  readonly isFolder: boolean;
}

/** Places where showing the whole would open what the sandbox is there to close. */
const NEVER_WHOLE: ReadonlySet<string> = new Set(['/etc', '/run', '/var', '/nix/var']);
const NEVER_ANY = ['/proc', '/sys', '/dev', '/boot'];

/** What a judge protects. */
export interface Protected {
  readonly homes: readonly string[];
  /** Of credentials. */
  readonly places: readonly string[];
}

/** Decides what may be shown: made once a session, since it depends on homes and places of credentials alone. */
export class Judge {
  readonly #find: () => Protected;
  #protected: Protected | null = null;

  /**
   * @param find - gives homes and places as written; their real paths count, too. Asked once, when something is to be shown: a
   *   question to the store shows nothing, and is answered sooner than they are found
   */
  constructor(find: () => Protected) {
    this.#find = find;
  }

  get #known(): Protected {
    if (this.#protected === null) {
      const { homes, places } = this.#find();
      this.#protected = { homes: withReal(homes), places: withReal(places) };
    }
    return this.#protected;
  }

  /**
   * What is shown for a path. Symlinks do not help: the real path is judged. Throws INPUT_ABSENT, and INPUT_REFUSED for a
   * home, a folder above one, and a place of credentials.
   */
  show(path: string): Shown {
    let real: string;
    try {
      real = realpathSync.native(path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' && systemCode(error) !== 'ENOTDIR') throw localError(`opening ${path}`, error);
      throw new OciPloneError('INPUT_ABSENT', `${path} does not exist`, { cause: error });
    }
    const reason = this.refusal(real);
    if (reason !== null) {
      throw new OciPloneError('INPUT_REFUSED', `${path} is not shown to Nix: ${reason}`, {
        hint: 'Move what Nix needs into a folder of its own that holds nothing else.',
      });
    }
    return { path: real, alias: real === path ? null : path };
  }

  /** Why a real path is never shown, or null where it may be. */
  refusal(real: string): string | null {
    if (real === '/') return 'it is the whole machine';
    const { homes, places } = this.#known;
    if (homes.some((home) => isWithin(home, real))) return 'it is, or holds, a home folder';
    if (NEVER_WHOLE.has(real) || NEVER_ANY.some((top) => isWithin(real, top))) return 'it belongs to the system';
    if (places.some((place) => isWithin(real, place))) return 'it is a place of credentials';
    return null;
  }

  /** The places of credentials that lie below what is shown. */
  masks(shown: readonly Shown[]): readonly Mask[] {
    if (shown.length === 0) return [];
    const masks: Mask[] = [];
    for (const place of this.#known.places) {
      if (!shown.some(({ path }) => isWithin(place, path))) continue;
      // A link shows where it points to, and that place has been resolved on its own.
      const found = lookedAt(place);
      if (found !== undefined && !found.isSymbolicLink()) masks.push({ path: place, isFolder: found.isDirectory() });
    }
    return masks.filter(({ path }) => !masks.some((other) => other.path !== path && isWithin(path, other.path)));
  }

  /**
   * The folder to name with --show for a path that Nix did not find, or null where there is none: the path is absent
   * outside as well, or it would not be shown.
   */
  folderToShow(path: string): string | null {
    try {
      const real = realpathSync.native(path);
      const folder = lstatSync(real).isDirectory() ? real : dirname(real);
      return this.refusal(real) === null && this.refusal(folder) === null ? folder : null;
    } catch {
      return null;
    }
  }
}

/** Leaves out what lies below something else that is shown, and names that would be inside of one. */
export function withoutNested(shown: readonly Shown[]): readonly Shown[] {
  const covered = (path: string, self: Shown) =>
    shown.some((other) => other !== self && other.path !== path && isWithin(path, other.path));
  const unique = new Map<string, Shown>();
  for (const one of shown) {
    const alias =
      one.alias !== null && !shown.some((other) => isWithin(one.alias ?? '', other.path)) ? one.alias : null;
    if (!covered(one.path, one) || alias !== null) unique.set(`${one.path}\n${alias ?? ''}`, { path: one.path, alias });
  }
  return [...unique.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function withReal(paths: readonly string[]): readonly string[] {
  return [...new Set([...paths, ...realPaths(paths)])];
}
