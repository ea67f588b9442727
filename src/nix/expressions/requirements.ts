import { byName } from './lines.ts';
import type { ExpressionSet } from './working-set.ts';

/** All that a package of the set needs to be imported, itself aside, sorted by name. Circles are walked once. */
export function allRequirements(set: ExpressionSet, root: string): readonly string[] {
  const packages = new Map(set.packages.map((one) => [one.name, one]));
  const seen = new Set([root]);
  const waiting = [root];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const one = set.fromNixpkgs.has(name) ? undefined : packages.get(name);
    for (const next of [...(one?.requires ?? []), ...(one?.propagatedBuildInputs ?? [])]) {
      if (seen.has(next) || !(packages.has(next) || set.fromNixpkgs.has(next))) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  seen.delete(root);
  return [...seen].sort(byName);
}
