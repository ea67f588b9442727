import { canonicalName } from './name.ts';
import type { Target } from './target.ts';

/** The parts of a wheel's file name (PEP 427). */
export interface WheelName {
  /** Canonical. */
  readonly name: string;
  readonly version: string;
  /** The number and letters of the build tag, or null. */
  readonly build: readonly [number, string] | null;
  /** Every `python-abi-platform` that the compressed sets stand for. */
  readonly tags: readonly string[];
}

const WHEEL = /^([^\s-]+?)-([^\s-]+)(?:-(\d[^\s-]*))?-([^\s-]+)-([^\s-]+)-([^\s-]+)\.whl$/;

/** Reads a wheel's file name; null for what is none. */
export function parseWheelName(file: string): WheelName | null {
  const [, name, version, build, pythons, interfaces, platforms] = WHEEL.exec(file) ?? [];
  if (name === undefined || version === undefined || pythons === undefined) return null;
  const tags = pythons
    .split('.')
    .flatMap((python) =>
      (interfaces ?? '')
        .split('.')
        .flatMap((abi) => (platforms ?? '').split('.').map((machine) => `${python}-${abi}-${machine}`)),
    );
  return { name: canonicalName(name), version: version.replaceAll('_', '-'), build: buildTag(build), tags };
}

function buildTag(build: string | undefined): readonly [number, string] | null {
  const [, number, letters] = /^(\d+)(.*)$/.exec(build ?? '') ?? [];
  return number === undefined ? null : [Number(number), letters ?? ''];
}

/** Every tag the target takes, with its rank: 0 is the best one. */
export type SupportedTags = ReadonlyMap<string, number>;

/** The tags of a CPython on Linux, in the order of PEP 425 as pip ranks them. */
export function supportedTags(target: Target): SupportedTags {
  const [major = 3, minor = 0] = target.pythonVersion.split('.').map(Number);
  const platforms = platformTags(target);
  const python = `cp${major}${minor}`;
  const ranked: string[] = [];
  const add = (tag: string, abi: string, machines: readonly string[]): void => {
    for (const machine of machines) ranked.push(`${tag}-${abi}-${machine}`);
  };
  for (const abi of abis(major, minor)) add(python, abi, platforms);
  if (major >= 3) add(python, 'abi3', platforms);
  add(python, 'none', platforms);
  if (major >= 3) for (let older = minor - 1; older >= 2; older -= 1) add(`cp${major}${older}`, 'abi3', platforms);
  const generic = [`py${major}${minor}`, `py${major}`];
  for (let older = minor - 1; older >= 0; older -= 1) generic.push(`py${major}${older}`);
  for (const tag of generic) add(tag, 'none', platforms);
  add(python, 'none', ['any']);
  for (const tag of generic) add(tag, 'none', ['any']);
  // Of a tag that is there twice the better rank counts.
  return new Map(ranked.map((tag, rank): [string, number] => [tag, rank]).reverse());
}

/** Python 2 on Linux has wide unicode, Python 3 until 3.7 pymalloc's `m`. */
function abis(major: number, minor: number): readonly string[] {
  if (major === 2) return [`cp${major}${minor}mu`];
  return minor < 8 ? [`cp${major}${minor}m`] : [`cp${major}${minor}`];
}

const OLD_NAMES: Readonly<Record<number, string>> = { 17: 'manylinux2014', 12: 'manylinux2010', 5: 'manylinux1' };
const MACHINES_WITH_OLD_NAMES: ReadonlySet<string> = new Set(['x86_64', 'i686']);

/** PEP 600: every manylinux down to 2.5 (2.17 elsewhere), with the older names, then the plain platform. */
function platformTags(target: Target): readonly string[] {
  const machine = target.platform.replace(/^linux_/, '');
  if (machine === target.platform) return [target.platform];
  const [major = 2, newest = 17] = target.glibc.split('.').map(Number);
  const oldest = MACHINES_WITH_OLD_NAMES.has(machine) ? 5 : 17;
  const tags: string[] = [];
  if (major !== 2) return [target.platform];
  for (let minor = newest; minor >= oldest; minor -= 1) {
    tags.push(`manylinux_2_${minor}_${machine}`);
    const old = OLD_NAMES[minor];
    if (old !== undefined) tags.push(`${old}_${machine}`);
  }
  return [...tags, target.platform];
}

/** The rank of a wheel's best tag, or null where the target takes none of them. */
export function wheelRank(wheel: WheelName, supported: SupportedTags): number | null {
  const ranks = wheel.tags.map((tag) => supported.get(tag)).filter((rank) => rank !== undefined);
  return ranks.length === 0 ? null : Math.min(...ranks);
}

/** More than 0 where the left build tag is the newer one: a wheel without one is the oldest (PEP 427). */
export function compareBuilds(left: WheelName['build'], right: WheelName['build']): number {
  if (left === null || right === null) return Number(left !== null) - Number(right !== null);
  return left[0] - right[0] || (left[1] < right[1] ? -1 : Number(left[1] > right[1]));
}
