import type { IndexFile } from './index-file.ts';
import { isExact, parseSpecifiers, satisfies } from './specifier.ts';
import type { Specifier } from './specifier.ts';
import { compareBuilds, parseWheelName, supportedTags, wheelRank } from './tags.ts';
import type { SupportedTags } from './tags.ts';
import type { Target } from './target.ts';
import { compareVersions, parseVersion, sameVersion } from './version.ts';
import type { Version } from './version.ts';

/** By what files are chosen, beside a requirement's own clauses. */
export interface Rules {
  readonly python: Version;
  readonly tags: SupportedTags;
  readonly preferFinal: boolean;
}

/** The rules of a target. */
export function rulesOf(target: Target, preferFinal: boolean): Rules {
  const python = parseVersion(target.pythonVersion);
  if (python === null) throw new TypeError(`no version of Python: ${target.pythonVersion}`);
  return { python, tags: supportedTags(target), preferFinal };
}

/**
 * The file that zc.buildout takes: final releases if any fits, of those the newest, a wheel before an sdist; of wheels the
 * one whose tags the target likes best. A yanked file only for an exact version that has no other (PEP 592).
 *
 * @param preferred - a version to stay with if it fits, or null
 */
export function chooseFile(
  files: readonly IndexFile[],
  specifiers: readonly Specifier[],
  rules: Rules,
  preferred: string | null = null,
): IndexFile | null {
  // Files of one version share its object: 4,000 files have 100 versions.
  const inside = new Map<Version, boolean>();
  const isInside = (version: Version): boolean => {
    const answer = inside.get(version) ?? satisfies(version, specifiers);
    inside.set(version, answer);
    return answer;
  };
  const fitting = files.filter(
    (file) => isInside(file.version) && fitsPython(file.requiresPython, rules.python) && fitsTarget(file, rules),
  );
  const good = fitting.filter(({ yanked }) => yanked === null);
  const usable = good.length > 0 || !isExact(specifiers) ? good : fitting;
  const kept = preferred === null ? [] : usable.filter(({ version }) => sameVersion(version.text, preferred));
  const final = rules.preferFinal ? usable.filter(({ version }) => !version.isPrerelease) : [];
  const choice = [kept, final, usable].find((list) => list.length > 0) ?? [];
  const [first] = choice;
  if (first === undefined) return null;
  return choice.reduce((best, file) => (isBetter(file, best, rules) ? file : best), first);
}

function isBetter(file: IndexFile, best: IndexFile, rules: Rules): boolean {
  const versions = file.version === best.version ? 0 : compareVersions(file.version, best.version);
  if (versions !== 0) return versions > 0;
  if (file.kind !== best.kind) return file.kind === 'wheel';
  if (file.kind === 'sdist') return sdistRank(file.file) < sdistRank(best.file);
  const [left, right] = [parseWheelName(file.file), parseWheelName(best.file)];
  if (left === null || right === null) return right === null;
  const ranks = (wheelRank(right, rules.tags) ?? 0) - (wheelRank(left, rules.tags) ?? 0);
  return ranks === 0 ? compareBuilds(left.build, right.build) > 0 : ranks > 0;
}

/** Archives that can be read come first. */
function sdistRank(file: string): number {
  const rank = [/\.tar\.gz$/i, /\.tgz$/i, /\.zip$/i].findIndex((pattern) => pattern.test(file));
  return rank === -1 ? 3 : rank;
}

/** Whether the target takes a file at all. */
export function fitsTarget(file: IndexFile, { tags }: Rules): boolean {
  if (file.kind === 'sdist') return true;
  const wheel = parseWheelName(file.file);
  return wheel !== null && wheelRank(wheel, tags) !== null;
}

/** Whether a Requires-Python lets a Python in. One that cannot be read does, as with pip. */
export function fitsPython(requires: string | null, python: Version): boolean {
  if (requires === null) return true;
  try {
    return satisfies(python, parseSpecifiers(requires));
  } catch {
    return true;
  }
}
