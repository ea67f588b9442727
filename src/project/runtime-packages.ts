import type { PackageSource } from '../nix/expressions/working-set.ts';
import { canonicalName } from '../python/name.ts';
import { INSTANCE_RECIPE } from './find-part.ts';

/** What the recipe of an instance requires to write one, and what it has written does not need to run. */
const BUILD_ONLY: ReadonlySet<string> = new Set(['zc-buildout', 'zc-recipe-egg', 'wheel', 'pip']);

/**
 * The packages that run an instance: all that its eggs and the recipe's own program need. What the recipe alone requires to
 * do its work is left out, and with it what only that requires.
 *
 * @param roots - canonical names
 */
export function runtimePackages(
  packages: readonly PackageSource[],
  roots: readonly string[],
): readonly PackageSource[] {
  const recipe = canonicalName(INSTANCE_RECIPE);
  const byName = new Map(packages.map((one) => [one.name, one]));
  const needed = new Set<string>();
  const queue = [...roots, recipe];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const one = byName.get(name);
    if (one === undefined || needed.has(name)) continue;
    needed.add(name);
    queue.push(...one.requires.filter((required) => name !== recipe || !BUILD_ONLY.has(required)));
  }
  return packages.filter(({ name }) => needed.has(name));
}
