import { readBounds } from './bounds.ts';
import type { Bound, Bounds } from './bounds.ts';
import { chooseFile, rulesOf } from './choose.ts';
import type { Rules } from './choose.ts';
import type { IndexFile } from './index-file.ts';
import { markerEnvironment } from './markers.ts';
import type { MarkerEnvironment } from './markers.ts';
import { canonicalName } from './name.ts';
import type { Requirement } from './requirement.ts';
import { satisfies } from './specifier.ts';
import type { Specifier } from './specifier.ts';
import { parseVersion } from './version.ts';
import type { Wanted } from './working-set.ts';

/** What was wanted, read once: how a file is chosen for a requirement does not change while resolving. */
export class Bounded {
  readonly environment: MarkerEnvironment;
  readonly bounds: Bounds;
  readonly rules: Rules;
  readonly #preferred: ReadonlyMap<string, string>;

  /** @throws INPUT_MALFORMED for pins and constraints that cannot be read */
  constructor(wanted: Wanted) {
    this.environment = markerEnvironment(wanted.target);
    this.bounds = readBounds(wanted.pins, wanted.constraints ?? [], this.environment);
    this.rules = rulesOf(wanted.target, wanted.preferFinal);
    this.#preferred = new Map([...(wanted.preferred ?? [])].map(([name, version]) => [canonicalName(name), version]));
  }

  of(name: string): readonly Bound[] {
    return this.bounds.get(name) ?? [];
  }

  /** The clauses of a requirement within the user's bounds, or the bound that stands against it. An exact one replaces them. */
  constrain(requirement: Requirement): { readonly specifiers: readonly Specifier[]; readonly against: Bound | null } {
    const bounds = this.of(requirement.name);
    const exact = bounds.find((bound) => bound.exact !== null);
    const version = exact === undefined ? null : parseVersion(exact.exact ?? '');
    const against =
      exact !== undefined && version !== null && !satisfies(version, requirement.specifiers) ? exact : null;
    const own = exact === undefined ? requirement.specifiers : [];
    return { specifiers: [...own, ...bounds.flatMap(({ specifiers }) => specifiers)], against };
  }

  choose(name: string, files: readonly IndexFile[], specifiers: readonly Specifier[]): IndexFile | null {
    return chooseFile(files, specifiers, this.rules, this.#preferred.get(name) ?? null);
  }
}
