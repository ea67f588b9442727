import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { isCurrent, lockOf } from '../python/lock.ts';
import type { Lock } from '../python/lock.ts';
import { changesOf, keptVersions, lockedSet } from '../python/locked-set.ts';
import type { Change } from '../python/locked-set.ts';
import type { Wanted, WorkingSet } from '../python/working-set.ts';
import type { DevelopEgg } from './develop.ts';
import { readLock } from './lock-file.ts';
import type { NixPart } from './nix-part.ts';
import type { ResolvingChoices } from './options.ts';
import { ownIndex } from './own-index.ts';
import { locate, locateLocked } from './places.ts';
import type { Project } from './project.ts';
import { lockedWanted } from './wanted.ts';
import { words } from './words.ts';

/** A working set, and the lock that it belongs to. */
export interface Locked {
  readonly set: WorkingSet;
  readonly lock: Lock;
  /** The lock has to be written. */
  readonly isNew: boolean;
  /** Versions that are not those of the lock before. */
  readonly changes: readonly Change[];
}

export interface LockRequest {
  readonly project: Project;
  readonly part: NixPart;
  readonly wanted: Wanted;
  readonly develop: readonly DevelopEgg[];
  readonly choices: ResolvingChoices;
  readonly lockFile: string;
}

/**
 * The working set of a part: of its lock, if that still belongs to the buildout; no index is asked then. Else it is resolved,
 * with the lock's versions kept where they fit and are not to be upgraded.
 *
 * @throws INPUT_REFUSED for a lock that would change and may not; and what resolving throws
 */
export async function lockedWorkingSet(request: LockRequest): Promise<Locked> {
  const { project, part, wanted, develop, choices, lockFile } = request;
  const { upgrade, frozen = false } = choices;
  if (frozen && upgrade !== undefined)
    throw new OciPloneError('USAGE', 'a lock cannot be frozen and upgraded at the same time');
  const old = await readLock(lockFile);
  const reason = old === null ? `${lockFile} does not exist` : staleness(old, request);
  if (old !== null && reason === null && upgrade === undefined) {
    const location = await locateLocked(project, part, choices);
    const set = await lockedSet(old, location, project.buildout.directory);
    return { set, lock: old, isNew: false, changes: [] };
  }
  if (frozen)
    throw new OciPloneError(old === null ? 'INPUT_ABSENT' : 'INPUT_REFUSED', `the lock may not change: ${reason}`, {
      hint: 'Let "oci-plone nix" write it, without --frozen or --check, look at what changed in it, and keep it.',
    });
  const preferred = old === null ? new Map<string, string>() : keptVersions(old, upgrade ?? []);
  const set = withoutDevelop(await resolveNow({ ...wanted, preferred }, request), develop);
  const lock = lockOf(set, lockedWanted(wanted, develop));
  return { set, lock, isNew: true, changes: changesOf(old, lock) };
}

/** Why a lock no longer belongs to a buildout; null where it does. */
function staleness(lock: Lock, { part, wanted, develop, lockFile, choices }: LockRequest): string | null {
  const { pythonVersion } = wanted.target;
  if (lock.python !== pythonVersion) return `${lockFile} is for Python ${lock.python}, and not for ${pythonVersion}`;
  if (!isCurrent(lock, lockedWanted(wanted, develop)))
    return `${lockFile} belongs to other eggs or versions than those of [${part.section}]`;
  if (lock.missing.length > 0 && choices.allowMissing !== true)
    return `${lockFile} lacks ${lock.missing.map(({ name }) => name).join(', ')}`;
  for (const [name, pinned] of part.urls) {
    const locked = lock.packages.find((one) => one.name === name);
    const isOther =
      locked === undefined ||
      locked.file !== pinned.file ||
      (locked.url !== null && locked.url !== pinned.url) ||
      (pinned.sha256 !== null && locked.sha256 !== pinned.sha256);
    if (isOther) return `${lockFile} has ${name} from elsewhere than the option urls of [${part.section}] says`;
  }
  return null;
}

async function resolveNow(wanted: Wanted, request: LockRequest): Promise<WorkingSet> {
  const { project, part, develop, choices } = request;
  const { buildout, env, get, signal, onProgress } = project;
  const { openPackageIndex } = await import('../python/package-index.ts');
  const { resolveWorkingSet } = await import('../python/resolve.ts');
  const location = await locate(project, part, choices);
  const index = openPackageIndex(location, {
    get,
    baseFolder: buildout.directory,
    cacheFolder: cacheFolder(env),
    now: Date.now,
    offline: (choices.offline ?? false) || buildout.find('buildout', 'offline') === 'true',
    // Who asks for the newest wants to know of what came out a minute ago.
    ...(choices.upgrade === undefined ? {} : { maxAge: 0 }),
    signal,
    onProgress,
  });
  const sources = {
    develop,
    urls: part.urls,
    pins: wanted.pins,
    allowHosts: words(buildout.find(part.section, 'allow-hosts') ?? buildout.find('buildout', 'allow-hosts')),
  };
  return resolveWorkingSet(wanted, ownIndex(index, sources, onProgress), {
    signal,
    onProgress,
    tolerateMissing: choices.allowMissing ?? false,
  });
}

/** The environment's cache folder, as the XDG base directory specification has it. */
function cacheFolder(env: Project['env']): string {
  const named = env['XDG_CACHE_HOME'] ?? '';
  return join(named.startsWith('/') ? named : join(env['HOME'] || '/tmp', '.cache'), 'oci-plone');
}

/** Develop eggs are skipped: they are sources of this machine. Of one that came from an index after all, the file stays. */
function withoutDevelop(set: WorkingSet, develop: readonly DevelopEgg[]): WorkingSet {
  const skipped = new Set(
    set.distributions
      .filter(({ url, name }) => url.startsWith('develop:') && develop.some((egg) => egg.name === name))
      .map(({ name }) => name),
  );
  return {
    ...set,
    distributions: set.distributions
      .filter(({ name }) => !skipped.has(name))
      .map((one) => ({ ...one, requires: one.requires.filter((name) => !skipped.has(name)) })),
    picked: set.picked.filter((name) => !skipped.has(name)),
  };
}
