import { OciPloneError, throwIfAborted } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { Bounded } from './bounds.ts';
import { Chooser } from './chooser.ts';
import { collectWorkingSet } from './collect.ts';
import { dependenciesOf } from './metadata.ts';
import type { IndexFile } from './index-file.ts';
import { lookAhead } from './look-ahead.ts';
import type { LookAhead } from './look-ahead.ts';
import { evaluateMarker } from './markers.ts';
import type { CoreMetadata } from './metadata.ts';
import type { PackageIndex } from './package-index.ts';
import { formatRequirement, parseRequirement } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import { Requirers } from './requirers.ts';
import type { Requirer } from './requirers.ts';
import { boundInTheWay, conflict, notAllowed, nothingFits, unknownExtra } from './resolve-failure.ts';
import { isExact, satisfies } from './specifier.ts';
import type { Specifier } from './specifier.ts';
import type { Missing, Wanted, WorkingSet } from './working-set.ts';

export interface ResolveOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Passes over what cannot be had, and tells of it in the result. */
  readonly tolerateMissing?: boolean;
}

/** A distribution that was taken, with what was asked of it so far. */
export interface Taken {
  readonly file: IndexFile;
  readonly metadata: CoreMetadata;
  readonly extras: Set<string>;
  readonly requires: Set<string>;
}

/** What resolving came to. */
export interface Resolved {
  readonly taken: ReadonlyMap<string, Taken>;
  readonly picked: ReadonlySet<string>;
  readonly missing: readonly Missing[];
  readonly requirers: Requirers;
}

/**
 * The working set as zc.buildout chooses it: the first requirement of a project that is met takes the best file, breadth
 * first, and nothing is taken back.
 *
 * @throws INPUT_REFUSED for a conflict or a pick that is not allowed, INPUT_ABSENT for what does not exist, INPUT_MALFORMED,
 * REGISTRY, NETWORK, AUTHENTICATION, DIGEST_MISMATCH, ABORTED
 */
export async function resolveWorkingSet(
  wanted: Wanted,
  index: PackageIndex,
  options: ResolveOptions = {},
): Promise<WorkingSet> {
  const bounded = new Bounded(wanted);
  const chooser = new Chooser(bounded, index);
  const ahead = lookAhead(bounded, chooser);
  try {
    const resolved = await new Resolution(wanted, { bounded, chooser, index, ahead }, options).run();
    return await collectWorkingSet(resolved, wanted.target, index);
  } finally {
    await ahead.stop();
  }
}

interface Means {
  readonly bounded: Bounded;
  readonly chooser: Chooser;
  readonly index: PackageIndex;
  readonly ahead: LookAhead;
}

class Resolution {
  readonly #wanted: Wanted;
  readonly #bounded: Bounded;
  readonly #chooser: Chooser;
  readonly #index: PackageIndex;
  readonly #ahead: LookAhead;
  readonly #options: ResolveOptions;
  readonly #requirers = new Requirers();
  readonly #taken = new Map<string, Taken>();
  readonly #picked = new Set<string>();
  readonly #missing = new Map<string, Missing>();

  constructor(wanted: Wanted, means: Means, options: ResolveOptions) {
    this.#wanted = wanted;
    this.#bounded = means.bounded;
    this.#chooser = means.chooser;
    this.#index = means.index;
    this.#ahead = means.ahead;
    this.#options = options;
  }

  async run(): Promise<Resolved> {
    const roots = this.#wanted.requirements
      .map((text) => parseRequirement(text, 'the buildout'))
      .filter(({ marker }) => marker === null || evaluateMarker(marker, this.#bounded.environment))
      .map((requirement): Requirer => ({ by: null, requirement }));
    for (const root of roots) this.#meet(root);
    // zc.buildout has all roots before it looks at what they require, and then begins with the last one.
    for (const root of roots) await this.#have(root);
    const queue = roots.reverse();
    const processed = new Set<string>();
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      throwIfAborted(this.#options.signal);
      const key = formatRequirement(next.requirement);
      if (processed.has(key)) continue;
      processed.add(key);
      const taken = await this.#have(next);
      if (taken !== null) queue.push(...this.#follow(taken, next));
    }
    const missing = [...this.#missing.values()];
    return { taken: this.#taken, picked: this.#picked, missing, requirers: this.#requirers };
  }

  #meet(requirer: Requirer): void {
    this.#requirers.add(requirer);
    this.#ahead.want(requirer.requirement);
  }

  /** What was taken for the project, or is now. Null where it is missing, and that is tolerated. */
  async #have(requirer: Requirer): Promise<Taken | null> {
    const { name } = requirer.requirement;
    try {
      const specifiers = this.#constrain(requirer);
      const old = this.#taken.get(name);
      if (old !== undefined) return await this.#check(old, requirer, specifiers);
      if (this.#missing.has(name)) return null;
      const picked = await this.#pick(requirer, specifiers);
      const taken = { ...picked, extras: new Set<string>(), requires: new Set<string>() };
      this.#taken.set(name, taken);
      return taken;
    } catch (error) {
      if (this.#options.tolerateMissing !== true || !isAbout(error)) throw error;
      const { text } = requirer.requirement;
      // A pin or a conflict stands against one requirement, all else against the project.
      const key = error.code === 'INPUT_REFUSED' ? `${name} ${text}` : name;
      this.#missing.set(key, { name, requirement: text, reason: error.message, requiredBy: [] });
      return this.#taken.get(name) ?? null;
    }
  }

  #constrain(requirer: Requirer): readonly Specifier[] {
    const { requirement } = requirer;
    if (requirement.url !== null)
      throw new OciPloneError('INPUT_REFUSED', `an address is not followed: ${this.#requirers.explain(requirer)}`, {
        hint: 'Put the file into a folder, name the folder in find-links, and pin its version in [versions].',
      });
    const { specifiers, against } = this.#bounded.constrain(requirement);
    if (against !== null) throw boundInTheWay(against, requirer, this.#requirers);
    return specifiers;
  }

  async #check(taken: Taken, requirer: Requirer, specifiers: readonly Specifier[]): Promise<Taken> {
    const { name, version } = taken.file;
    if (satisfies(version, specifiers)) return taken;
    const bound = this.#bounded.of(name)[0] ?? null;
    const project = await this.#index.project(name);
    throw conflict({ name, version: version.text, bound }, requirer, this.#requirers, project, this.#bounded.rules);
  }

  async #pick(requirer: Requirer, own: readonly Specifier[]): Promise<Pick<Taken, 'file' | 'metadata'>> {
    const specifiers = [...own, ...this.#otherRoots(requirer)];
    const choice = await this.#chooser.choose(requirer.requirement.name, specifiers);
    if (choice.file === null) {
      const context = { labels: this.#index.labels, bounded: this.#bounded, requirers: this.#requirers };
      throw nothingFits(requirer, specifiers, choice.project, context);
    }
    this.#notePick(requirer, choice.file);
    return choice;
  }

  /** zc.buildout would let two roots of one project fight; together they are one requirement. */
  #otherRoots({ by, requirement }: Requirer): readonly Specifier[] {
    const pinned = this.#bounded.of(requirement.name).some(({ exact }) => exact !== null);
    if (by !== null || pinned) return [];
    const roots = this.#requirers.of(requirement.name).filter((other) => other.requirement !== requirement);
    return roots.flatMap((root) => root.requirement.specifiers);
  }

  #notePick(requirer: Requirer, file: IndexFile): void {
    const { name, specifiers } = requirer.requirement;
    if (file.yanked !== null) {
      const reason = file.yanked === '' ? '' : `: ${file.yanked}`;
      this.#options.onProgress?.({
        kind: 'note',
        text: `${name} ${file.version.text} was yanked from the index${reason}`,
      });
    }
    if (isExact(specifiers) || this.#bounded.of(name).some(({ exact }) => exact !== null)) return;
    if (!this.#wanted.allowPicked) throw notAllowed(file, requirer, this.#requirers);
    this.#picked.add(name);
  }

  /** What a requirement of a distribution requires in turn, in pkg_resources' order. */
  #follow(taken: Taken, requirer: Requirer): readonly Requirer[] {
    const { metadata, file } = taken;
    const by = { name: file.name, version: file.version.text };
    const { extras } = requirer.requirement;
    for (const extra of extras) {
      if (metadata.extras.includes(extra)) taken.extras.add(extra);
      else if (this.#wanted.allowUnknownExtras !== true)
        throw unknownExtra({ ...by, extras: metadata.extras }, extra, requirer, this.#requirers);
    }
    const found = dependenciesOf(metadata, extras, this.#bounded.environment).map((requirement: Requirement) => ({
      by,
      requirement,
    }));
    for (const { requirement } of found) {
      if (requirement.name !== file.name) taken.requires.add(requirement.name);
    }
    for (const dependency of found) this.#meet(dependency);
    return found.reverse();
  }
}

/** Whether a failure is about one distribution, and not about the network or the index as a whole. */
function isAbout(error: unknown): error is OciPloneError {
  if (!(error instanceof OciPloneError)) return false;
  // A page that is not found has no cause; an index in trouble has.
  return error.code.startsWith('INPUT_') || (error.code === 'REGISTRY' && error.cause === undefined);
}
