import { OciPloneError } from '../errors.ts';
import { parseMarker } from './marker-parser.ts';
import type { Marker, MarkerValue } from './marker-parser.ts';
import { canonicalName } from './name.ts';
import { parseSpecifiers, satisfies } from './specifier.ts';
import type { Target } from './target.ts';
import { minorOf } from './target.ts';
import { parseVersion } from './version.ts';

/** The variables of PEP 508 for one Python; `extra` is the empty text where no extra was asked for. */
export type MarkerEnvironment = Readonly<Record<string, string>>;

/** What markers see on the target. Kernel release and version are not known before the image runs, and are empty. */
export function markerEnvironment(target: Target): MarkerEnvironment {
  const major = Number(target.pythonVersion.split('.')[0]);
  return {
    os_name: 'posix',
    // Python 2 named the kernel's major version.
    sys_platform: major < 3 ? 'linux2' : 'linux',
    platform_machine: target.platform.replace(/^linux_/, ''),
    platform_python_implementation: 'CPython',
    platform_release: '',
    platform_system: 'Linux',
    platform_version: '',
    python_version: minorOf(target.pythonVersion),
    python_full_version: target.pythonVersion,
    implementation_name: 'cpython',
    implementation_version: target.pythonVersion,
    extra: '',
  };
}

/**
 * Whether a marker holds in an environment.
 *
 * @throws INPUT_MALFORMED
 */
export function evaluateMarker(marker: string | Marker, environment: MarkerEnvironment): boolean {
  const parsed = typeof marker === 'string' ? parseMarker(marker) : marker;
  switch (parsed.kind) {
    case 'and':
      return evaluateMarker(parsed.left, environment) && evaluateMarker(parsed.right, environment);
    case 'or':
      return evaluateMarker(parsed.left, environment) || evaluateMarker(parsed.right, environment);
    case 'compare':
      return compares(parsed.left, parsed.operator, parsed.right, environment);
  }
}

/** The answer of a marker, or null for a text that is not one: buildout then looks for a name of its own. */
export function markerOrNull(text: string, environment: MarkerEnvironment): boolean | null {
  try {
    return evaluateMarker(text, environment);
  } catch (error) {
    if (error instanceof OciPloneError && error.code === 'INPUT_MALFORMED') return null;
    throw error;
  }
}

function compares(left: MarkerValue, operator: string, right: MarkerValue, environment: MarkerEnvironment): boolean {
  const isExtra = [left, right].some(({ kind, value }) => kind === 'variable' && value === 'extra');
  const read = ({ kind, value }: MarkerValue): string => {
    const text = kind === 'variable' ? (environment[value] ?? '') : value;
    return isExtra ? canonicalName(text) : text;
  };
  const [a, b] = [read(left), read(right)];
  if (operator === 'in') return b.includes(a);
  if (operator === 'not in') return !b.includes(a);
  return (isExtra ? null : comparesVersions(a, operator, b)) ?? comparesTexts(a, operator, b);
}

/** PEP 508: as versions where the right side is a specifier's version, else as texts. */
function comparesVersions(left: string, operator: string, right: string): boolean | null {
  try {
    const specifiers = parseSpecifiers(operator + right);
    const version = parseVersion(left);
    return version === null || specifiers.length !== 1 ? null : satisfies(version, specifiers);
  } catch {
    return null;
  }
}

function comparesTexts(left: string, operator: string, right: string): boolean {
  switch (operator) {
    case '==':
    case '===':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
    default:
      throw new OciPloneError('INPUT_MALFORMED', `a marker compares "${left}" and "${right}" by "${operator}"`);
  }
}
