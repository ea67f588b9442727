import { evaluateMarker } from './markers.ts';
import type { MarkerEnvironment } from './markers.ts';
import type { CoreMetadata } from './metadata.ts';
import type { Requirement } from './requirement.ts';

/**
 * What a distribution requires when so many extras are asked for, in the order in which pkg_resources gives it: what it
 * requires anyway, then what each extra adds.
 */
export function dependenciesOf(
  metadata: CoreMetadata,
  extras: readonly string[],
  environment: MarkerEnvironment,
): readonly Requirement[] {
  const holds = (requirement: Requirement, extra: string): boolean =>
    requirement.marker === null || evaluateMarker(requirement.marker, { ...environment, extra });
  const common = metadata.requires.filter((requirement) => holds(requirement, ''));
  const found = new Set(common);
  for (const extra of extras)
    for (const requirement of metadata.requires) if (holds(requirement, extra)) found.add(requirement);
  return [...found];
}
