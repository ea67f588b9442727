import { OciPloneError } from '../errors.ts';
import { evaluateMarker } from './markers.ts';
import type { MarkerEnvironment } from './markers.ts';
import { canonicalName } from './name.ts';
import { parseRequirement } from './requirement.ts';
import { parseSpecifiers } from './specifier.ts';
import type { Specifier } from './specifier.ts';
import { parseVersion } from './version.ts';

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
    const only = specifiers.length === 1 ? specifiers[0] : undefined;
    const exact = only !== undefined && /^={2,3}$/.test(only.operator) && !only.wildcard ? only.text : null;
    bounds.set(name, [...(bounds.get(name) ?? []), { specifiers, exact, text: line, origin: 'constraint' }]);
  }
  return bounds;
}

/** zc.buildout: a text that begins with `<` or `>` holds clauses, everything else is one version. */
function readPin(name: string, pin: string): Bound {
  const text = `${name} = ${pin}`;
  if (/^[<>]/.test(pin)) return { specifiers: parseSpecifiers(pin), exact: null, text, origin: 'pin' };
  const version = pin.replace(/^==/, '').trim();
  if (parseVersion(version) === null)
    throw new OciPloneError('INPUT_MALFORMED', `the pin ${text} is not a version`, {
      hint: 'In [versions] stands one version, such as 1.2.3, or clauses that begin with < or >.',
    });
  return { specifiers: parseSpecifiers(`==${version}`), exact: version, text, origin: 'pin' };
}
