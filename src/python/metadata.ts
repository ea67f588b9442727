import { OciPloneError } from '../errors.ts';
import { evaluateMarker } from './markers.ts';
import type { MarkerEnvironment } from './markers.ts';
import { canonicalName } from './name.ts';
import { parseRequirement } from './requirement.ts';
import type { Requirement } from './requirement.ts';

/** What resolving needs of a distribution's metadata (the core metadata specifications). */
export interface CoreMetadata {
  readonly metadataVersion: string;
  readonly name: string;
  readonly version: string;
  readonly requires: readonly Requirement[];
  /** Canonical names, sorted. */
  readonly extras: readonly string[];
  readonly requiresPython: string | null;
  /** Names of fields, in lower case, that a build may change. */
  readonly dynamic: readonly string[];
}

/**
 * Reads METADATA or PKG-INFO. Text that is not UTF-8 is read as Latin-1, as old authors wrote it.
 *
 * @param from - the file's name, for errors
 * @throws INPUT_MALFORMED
 */
export function parseMetadata(bytes: Uint8Array, from: string): CoreMetadata {
  const fields = parseHeaders(decodeText(withoutBody(bytes)));
  const first = (name: string): string => fields.get(name)?.[0] ?? '';
  const name = first('name');
  const version = first('version');
  if (name === '' || version === '')
    throw new OciPloneError('INPUT_MALFORMED', `the metadata of ${from} has no ${name === '' ? 'name' : 'version'}`, {
      hint: 'Take another version of it, by a pin in [versions].',
    });
  const requires = (fields.get('requires-dist') ?? []).map((line) => parseRequirement(line, from));
  return {
    metadataVersion: first('metadata-version'),
    name: canonicalName(name),
    version,
    requires,
    extras: [...new Set((fields.get('provides-extra') ?? []).map((extra) => canonicalName(extra)))].sort(),
    requiresPython: first('requires-python') || null,
    dynamic: (fields.get('dynamic') ?? []).map((field) => field.toLowerCase()),
  };
}

/** The headers alone: descriptions are long, and a text that is cut out of another one keeps it in memory. */
function withoutBody(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ends = ['\n\n', '\r\n\r\n'].map((blank) => buffer.indexOf(blank)).filter((at) => at !== -1);
  return ends.length === 0 ? bytes : bytes.subarray(0, Math.min(...ends) + 1);
}

/** UTF-8, with or without a byte order mark, else Latin-1. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** The headers of RFC 822, names in lower case, folded lines joined; what follows the first blank line is the description. */
function parseHeaders(text: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  let open: string[] | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') break;
    const last = open?.at(-1);
    if (/^[ \t]/.test(line)) {
      if (open !== undefined && last !== undefined) open[open.length - 1] = `${last}\n${line.trim()}`;
      continue;
    }
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    open = fields.get(name) ?? [];
    open.push(line.slice(colon + 1).trim());
    fields.set(name, open);
  }
  return fields;
}

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
