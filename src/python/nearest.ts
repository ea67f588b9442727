import { compareVersions, parseVersion } from './version.ts';
import type { Version } from './version.ts';

const FEW = 5;

/** The versions next to a wanted one, or the newest ones where no certain one is wanted; oldest first. */
export function nearestVersions(known: readonly Version[], wanted: string | null): readonly string[] {
  const unique = new Map(known.map((version) => [version.normal, version]));
  const sorted = [...unique.values()].sort(compareVersions);
  const target = wanted === null ? null : parseVersion(wanted);
  const at = target === null ? sorted.length : sorted.findIndex((version) => compareVersions(version, target) > 0);
  const middle = at === -1 ? sorted.length : at;
  const start = Math.max(0, Math.min(middle - Math.ceil(FEW / 2), sorted.length - FEW));
  return sorted.slice(start, start + FEW).map(({ text }) => text);
}

/** Names that are spelled nearly as the given one, the nearest first. */
export function nearestNames(name: string, known: Iterable<string>): readonly string[] {
  const most = Math.max(1, Math.floor(name.length / 4));
  return [...new Set(known)]
    .map((other) => ({ other, distance: editDistance(name, other) }))
    .filter(({ distance }) => distance <= most)
    .sort((left, right) => left.distance - right.distance || (left.other < right.other ? -1 : 1))
    .slice(0, FEW)
    .map(({ other }) => other);
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let index = 1; index <= right.length; index += 1) {
      const replaced = (row[index - 1] ?? 0) + (left[at - 1] === right[index - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[index] ?? 0) + 1, (next[index - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
