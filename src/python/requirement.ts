import { OciPloneError } from '../errors.ts';
import type { Marker } from './marker-parser.ts';
import { parseMarker } from './marker-parser.ts';
import { canonicalName } from './name.ts';
import { formatSpecifiers, parseSpecifiers } from './specifier.ts';
import type { Specifier } from './specifier.ts';

/** A requirement of PEP 508. */
export interface Requirement {
  /** As it was written, without spaces around it. */
  readonly text: string;
  readonly name: string;
  /** The spelling the author chose. */
  readonly givenName: string;
  /** Canonical names, sorted. */
  readonly extras: readonly string[];
  readonly specifiers: readonly Specifier[];
  readonly url: string | null;
  readonly marker: Marker | null;
}

const HEAD = /^([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)\s*(?:\[([^\]]*)\])?\s*/i;
const EXTRA = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/i;
const LONGEST = 10_000;

/**
 * Reads a requirement: a name, extras, versions (in parentheses, too) or a URL, a marker.
 *
 * @param from - what to name in an error: where the requirement stands
 * @throws INPUT_MALFORMED
 */
export function parseRequirement(input: string, from = ''): Requirement {
  const text = input.trim();
  if (text.length > LONGEST) throw malformed(text, from, 'it is too long');
  const head = HEAD.exec(text);
  const [whole = '', givenName] = head ?? [];
  if (givenName === undefined) throw malformed(text, from, 'it does not begin with the name of a project');
  const extras = readExtras(head?.[2] ?? '', text, from);
  const rest = text.slice(whole.length);
  try {
    const { versions, url, marker } = rest.startsWith('@') ? splitUrl(rest) : splitVersions(rest);
    return {
      text,
      name: canonicalName(givenName),
      givenName,
      extras,
      specifiers: parseSpecifiers(versions),
      url,
      marker: marker === '' ? null : parseMarker(marker),
    };
  } catch (error) {
    throw malformed(text, from, error instanceof Error ? error.message : String(error));
  }
}

function readExtras(list: string, text: string, from: string): readonly string[] {
  const extras = list
    .split(',')
    .map((extra) => extra.trim())
    .filter((extra) => extra !== '');
  const wrong = extras.find((extra) => !EXTRA.test(extra));
  if (wrong !== undefined) throw malformed(text, from, `"${wrong}" cannot be the name of an extra`);
  return [...new Set(extras.map((extra) => canonicalName(extra)))].sort();
}

interface Tail {
  readonly versions: string;
  readonly url: string | null;
  readonly marker: string;
}

function splitVersions(rest: string): Tail {
  const semicolon = rest.indexOf(';');
  const versions = (semicolon === -1 ? rest : rest.slice(0, semicolon)).trim();
  const inner = /^\((.*)\)$/s.exec(versions)?.[1] ?? versions;
  return { versions: inner, url: null, marker: semicolon === -1 ? '' : rest.slice(semicolon + 1).trim() };
}

/** PEP 508: a URL ends at white space, and only then may a marker follow. */
function splitUrl(rest: string): Tail {
  const [, url = '', marker = ''] = /^@\s*(\S+)(?:\s+;\s*(.*))?$/s.exec(rest) ?? [];
  if (url === '') throw new Error('no address follows the @');
  return { versions: '', url, marker: marker.trim() };
}

/** Name, extras and versions: what two requirements have to share to be one. */
export function formatRequirement(requirement: Requirement): string {
  const extras = requirement.extras.length === 0 ? '' : `[${requirement.extras.join(',')}]`;
  const url = requirement.url === null ? '' : ` @ ${requirement.url}`;
  return requirement.givenName + extras + formatSpecifiers(requirement.specifiers) + url;
}

function malformed(text: string, from: string, why: string): OciPloneError {
  const where = from === '' ? '' : ` of ${from}`;
  return new OciPloneError(
    'INPUT_MALFORMED',
    `the requirement "${text.slice(0, 200)}"${where} cannot be read: ${why}`,
    {
      hint: 'Write it as PEP 508 has it, for example "Plone[extra]>=6.0".',
    },
  );
}
