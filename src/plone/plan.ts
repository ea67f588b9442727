import type { Change, Leftover, Warning } from './rewritten.ts';

export interface PlannedFile {
  /** Relative to the folder. */
  readonly path: string;
  /** Null for a file that is copied byte for byte. */
  readonly text: string | null;
  /** What is there now; null where nothing is, or where it is copied. */
  readonly before: string | null;
}

export interface PlannedFolder {
  readonly path: string;
  readonly mode: number;
}

export interface PlannedLink {
  readonly path: string;
  readonly target: string;
}

/** What a buildout's folder becomes in a container, and why. Paths are relative to the folder and sorted. */
export interface InstancePlan {
  /** `wsgi` since plone.recipe.zope2instance 6; `zserver` for Zope 2.13 and what still runs ZServer. */
  readonly era: 'wsgi' | 'zserver';
  /** `parts/instance` */
  readonly home: string;
  readonly files: readonly PlannedFile[];
  /** Those that have to be there, though they may be empty. */
  readonly folders: readonly PlannedFolder[];
  readonly links: readonly PlannedLink[];
  /** Of the instance's own folder: what zc.buildout 1.5 to 1.7 left there. */
  readonly removed: readonly string[];
  readonly changes: readonly Change[];
  readonly warnings: readonly Warning[];
  /** What a copy lacks that the folder itself has, such as its database. */
  readonly copyWarnings: readonly Warning[];
  readonly leftovers: readonly Leftover[];
}

/** What the name of a file, or of the instance's folder, gets that was rewritten in place. */
export const BACKUP = '.orig';

const FOLDER_MODE = 0o755;

/** A plan in the making: each path once. */
export class PlanDraft {
  readonly #files = new Map<string, PlannedFile>();
  readonly #folders = new Map<string, number>();
  readonly #links = new Map<string, string>();
  readonly #changes: Change[] = [];
  readonly #warnings: Warning[] = [];
  readonly #copyWarnings: Warning[] = [];
  readonly #leftovers: Leftover[] = [];

  has(path: string): boolean {
    return this.#files.has(path) || this.#links.has(path);
  }

  file(file: PlannedFile): void {
    if (!this.#files.has(file.path)) this.#files.set(file.path, file);
  }

  folder(path: string, mode: number = FOLDER_MODE): void {
    if (path === '' || path === '.') return;
    const there = this.#folders.get(path);
    // The stricter of two.
    this.#folders.set(path, there === undefined ? mode : there & mode);
  }

  link(path: string, target: string): void {
    this.#links.set(path, target);
  }

  /** Whether a path lies in a folder that was asked for. */
  isInFolder(path: string): boolean {
    return [...this.#folders.keys()].some((folder) => path === folder || path.startsWith(`${folder}/`));
  }

  report(found: Pick<InstancePlan, 'changes' | 'warnings' | 'leftovers'>): void {
    this.#changes.push(...found.changes);
    this.#warnings.push(...found.warnings);
    this.#leftovers.push(...found.leftovers);
  }

  warn(file: string, line: number | null, text: string): void {
    this.#warnings.push({ file, line, text });
  }

  warnOfCopy(file: string, line: number | null, text: string): void {
    this.#copyWarnings.push({ file, line, text });
  }

  leftover(file: string, path: string): void {
    this.#leftovers.push({ file, line: null, path });
  }

  done(rest: Pick<InstancePlan, 'era' | 'home' | 'removed'>): InstancePlan {
    return {
      ...rest,
      files: [...this.#files.values()].sort(byPath),
      folders: [...this.#folders].map(([path, mode]) => ({ path, mode })).sort(byPath),
      links: [...this.#links].map(([path, target]) => ({ path, target })).sort(byPath),
      changes: this.#changes,
      warnings: this.#warnings,
      copyWarnings: this.#copyWarnings,
      leftovers: this.#leftovers,
    };
  }
}

function byPath(one: { readonly path: string }, other: { readonly path: string }): number {
  return one.path < other.path ? -1 : 1;
}
