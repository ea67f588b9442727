import { dependenciesOf } from '../python/metadata.ts';
import { evaluateMarker, markerEnvironment } from '../python/markers.ts';
import { parseRequirement } from '../python/requirement.ts';
import type { Requirement } from '../python/requirement.ts';
import type { Target } from '../python/target.ts';
import type { Wanted } from '../python/working-set.ts';
import type { DevelopEgg } from './develop.ts';
import type { NixPart } from './nix-part.ts';
import type { Project } from './project.ts';

/** What a part wants to be resolved. */
export function wantedOf(
  { buildout, target }: Project,
  part: NixPart,
  extra: { readonly constraints: readonly string[]; readonly shell: boolean },
): Wanted {
  const isTrue = (name: string): boolean => buildout.find('buildout', name)?.trim() === 'true';
  // What runs buildout, in the expression of the parts and in the shell, is of the same working set.
  const runner = part.parts.length > 0 || extra.shell ? ['zc.buildout'] : [];
  return {
    requirements: [...new Set([...part.roots, ...part.added, ...runner])],
    pins: buildout.versions(),
    constraints: extra.constraints,
    preferFinal: isTrue('prefer-final'),
    allowPicked: isTrue('allow-picked-versions'),
    allowUnknownExtras: isTrue('allow-unknown-extras'),
    target,
  };
}

/**
 * What a lock's digest is made of. Develop eggs are not in a lock, and so are written among the requirements with all that
 * they require: another requirement of one makes the lock old.
 */
export function lockedWanted(wanted: Wanted, develop: readonly DevelopEgg[]): Wanted {
  const own = develop.flatMap(({ name, version, metadata }) => [
    `develop ${name} ${version ?? ''}`,
    ...metadata.requires.map(({ text }) => text),
  ]);
  return { ...wanted, requirements: [...wanted.requirements, ...own] };
}

/**
 * Canonical names of what a part asks for, without develop eggs: of those, what they require stands in their place, as with
 * the recipe.
 */
export function rootNames(roots: readonly string[], develop: readonly DevelopEgg[], target: Target): readonly string[] {
  const environment = markerEnvironment(target);
  const eggs = new Map(develop.map((egg) => [egg.name, egg]));
  const queue: Requirement[] = roots
    .map((text) => parseRequirement(text))
    .filter(({ marker }) => marker === null || evaluateMarker(marker, environment));
  const seen = new Set<string>();
  const names = new Set<string>();
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const key = `${next.name}[${next.extras.join()}]`;
    if (seen.has(key)) continue;
    seen.add(key);
    const egg = eggs.get(next.name);
    if (egg === undefined) names.add(next.name);
    else queue.push(...dependenciesOf(egg.metadata, next.extras, environment));
  }
  return [...names].sort();
}
