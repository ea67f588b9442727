import type { OciPloneError } from '../errors.ts';
import { malformed, quoted } from './failure.ts';

/** The option whose value is worked out, for messages. */
export interface Site {
  readonly section: string;
  readonly option: string;
  /** `file:line`. */
  readonly place: string;
}

const VALID = /^\$\{([-a-zA-Z0-9 ._]*):([-a-zA-Z0-9 ._]+)\}$/;
const SIMPLE = /^[-a-zA-Z0-9 ._]+$/;

/** What `${section:option}` names; an empty section is the one it stands in. */
export function referenceTo(reference: string, site: Site): { readonly section: string; readonly option: string } {
  const match = VALID.exec(reference);
  if (match !== null) return { section: match[1] ?? '', option: match[2] ?? '' };
  const parts = reference.slice(2, -1).split(':');
  const complain = (what: string): OciPloneError =>
    malformed(`${at(site)}: the substitution ${quoted(reference)} ${what}`, HINT);
  if (parts.length < 2) throw complain('does not contain a colon');
  if (parts.length > 2) throw complain('has too many colons');
  if (!SIMPLE.test(parts[0] ?? '')) throw complain('has invalid characters in the name of the section');
  throw complain('has invalid characters in the name of the option');
}

const HINT = 'Write ${section:option}, or $${…} for a text that is to stay as it is.';

/** A section that nothing defines. */
export function missingSection(name: string, from: Site | null): OciPloneError {
  const where = from === null ? '' : `${at(from)}: `;
  return malformed(`${where}there is no section [${name}]`);
}

/** An option that nothing sets. `recipe` is that of the section, as recipes set options when they run. */
export function missingOption(
  section: string,
  option: string,
  from: Site | null,
  recipe: string | undefined,
): OciPloneError {
  const where = from === null ? '' : `${at(from)}: `;
  const hint =
    recipe === undefined ? '' : `Recipes are not run here: write what ${recipe} sets into [${section}] yourself.`;
  return malformed(`${where}[${section}] has no option ${quoted(option)}`, hint);
}

function at(site: Site): string {
  return `[${site.section}] ${site.option}${site.place === '' ? '' : ` (${site.place})`}`;
}
