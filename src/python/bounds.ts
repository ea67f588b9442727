import { chooseFile, rulesOf } from './choose.ts';
import type { Rules } from './choose.ts';
import type { IndexFile } from './index-file.ts';
import { evaluateMarker, markerEnvironment } from './markers.ts';
import type { MarkerEnvironment } from './markers.ts';
import { canonicalName } from './name.ts';
import { parseRequirement } from './requirement.ts';
import type { Requirement } from './requirement.ts';
import { isExact, parseSpecifiers, satisfies } from './specifier.ts';
import type { Specifier } from './specifier.ts';
import { parseVersion } from './version.ts';
import type { Wanted } from './working-set.ts';

/** What the user allows of one project, whoever requires it. */
export interface Bound {
  readonly specifiers: readonly Specifier[];
  /** The version and nothing else, or null. */
  readonly exact: string | null;
  /** How the user wrote it: `Plone = 6.0` or `plone>=6`. */
  readonly text: string;
  readonly origin: 'pin' | 'constraint';
}

/** The bounds by canonical name, pins first. */
export type Bounds = ReadonlyMap<string, readonly Bound[]>;

/**
 * Reads `[versions]` and the lines of constraints files.
 *
 * @throws INPUT_MALFORMED
 */
export function readBounds(
  pins: ReadonlyMap<string, string>,
  constraints: readonly string[],
  environment: MarkerEnvironment,
): Bounds {
  const bounds = new Map<string, readonly Bound[]>();
  // The last of several spellings of a name wins, and an empty one takes the pin away.
  for (const [name, text] of pins)
    bounds.set(canonicalName(name), text.trim() === '' ? [] : [readPin(name, text.trim())]);
  for (const line of constraints.map((raw) => raw.replace(/(?:^|\s)#.*$/, '').trim())) {
    if (line === '' || line.startsWith('-')) continue;
    const requirement = parseRequirement(line, 'the constraints');
    if (requirement.marker !== null && !evaluateMarker(requirement.marker, environment)) continue;
    const { name, specifiers } = requirement;
    const exact = isExact(specifiers) ? (specifiers[0]?.text ?? null) : null;
    bounds.set(name, [...(bounds.get(name) ?? []), { specifiers, exact, text: line, origin: 'constraint' }]);
  }
  return bounds;
}

/** zc.buildout: a text that begins with `<` or `>` holds clauses, everything else is one version. */
function readPin(name: string, pin: string): Bound {
  const text = `${name} = ${pin}`;
  if (/^[<>]/.test(pin)) return { specifiers: parseSpecifiers(pin), exact: null, text, origin: 'pin' };
  const version = pin.replace(/^==/, '').trim();
  // Old files pin what is no version any more; nothing fits that, which is told where it is asked for.
  const operator = parseVersion(version) === null ? '===' : '==';
  const specifier = { operator, text: version, version: parseVersion(version), wildcard: false } as const;
  return { specifiers: [specifier], exact: version, text, origin: 'pin' };
}

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
