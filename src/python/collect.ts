import type { PackageIndex } from './package-index.ts';
import type { Requirers } from './requirers.ts';
import type { Resolved, Taken } from './resolve.ts';
import type { Target } from './target.ts';
import type { Distribution, WorkingSet } from './working-set.ts';

/** The working set of what was taken: sorted, with the digests of all files. */
export async function collectWorkingSet(resolved: Resolved, target: Target, index: PackageIndex): Promise<WorkingSet> {
  const { taken, picked, missing, requirers } = resolved;
  const distributions = await Promise.all([...taken.values()].map(async (one) => describe(one, requirers, index)));
  return {
    target,
    distributions: distributions.sort((left, right) => (left.name < right.name ? -1 : 1)),
    picked: [...picked].sort(),
    missing: missing
      .map((one) => ({ ...one, requiredBy: requiredBy(one.name, requirers) }))
      .sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

async function describe(taken: Taken, requirers: Requirers, index: PackageIndex): Promise<Distribution> {
  const { file, extras, requires } = taken;
  return {
    name: file.name,
    version: file.version.text,
    file: file.file,
    kind: file.kind,
    url: file.url,
    sha256: await index.sha256(file),
    requires: [...requires].sort(),
    requiredBy: requiredBy(file.name, requirers),
    extras: [...extras].sort(),
  };
}

function requiredBy(name: string, requirers: Requirers): readonly string[] {
  const names = requirers.of(name).flatMap(({ by }) => (by === null || by.name === name ? [] : [by.name]));
  return [...new Set(names)].sort();
}
