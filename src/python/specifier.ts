import { compare } from '@renovatebot/pep440';
import { OciPloneError } from '../errors.ts';
import { parseVersion } from './version.ts';
import type { Version } from './version.ts';

export type Operator = '===' | '==' | '!=' | '~=' | '<=' | '>=' | '<' | '>';

/** One clause, such as `>=1.0`. */
export interface Specifier {
  readonly operator: Operator;
  /** As it was written, without `.*`. */
  readonly text: string;
  /** Null for `===` on something that is no version. */
  readonly version: Version | null;
  /** `==1.*` and `!=1.*`. */
  readonly wildcard: boolean;
}

const CLAUSE = /^(===|==|!=|~=|<=|>=|<|>)\s*(\S+)$/;

/**
 * Reads clauses joined by commas. What old setuptools wrote is read as it was meant: a comma too much, `>=1.*`, and the
 * revision of Subversion in `>=1.1.6dev-r22380`.
 *
 * @throws INPUT_MALFORMED
 */
export function parseSpecifiers(text: string): readonly Specifier[] {
  return text
    .split(',')
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '')
    .map((clause) => parseClause(clause));
}

function parseClause(clause: string): Specifier {
  const [, operator, text] = CLAUSE.exec(clause) ?? [];
  if (operator === undefined || text === undefined || !isOperator(operator)) throw malformed(clause);
  if (operator === '===') return { operator, text, version: parseVersion(text), wildcard: false };
  const wildcard = text.endsWith('.*');
  const plain = wildcard ? text.slice(0, -2) : text;
  const version = parseVersion(plain) ?? parseVersion(plain.replace(/\.?dev-r(\d+)$/, '.dev$1'));
  if (version === null) throw malformed(clause);
  const equality = operator === '==' || operator === '!=';
  if (version.local !== null && (!equality || wildcard)) throw malformed(clause);
  if (operator === '~=' && version.release.length < 2) throw malformed(clause);
  return { operator, text: version.text, version, wildcard: wildcard && equality };
}

function malformed(clause: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `"${clause.slice(0, 200)}" is not a version specifier`, {
    hint: 'Write it as PEP 440 has it, for example ">=1.0,<2".',
  });
}

function isOperator(text: string): text is Operator {
  return ['===', '==', '!=', '~=', '<=', '>=', '<', '>'].includes(text);
}

/** The clauses as PEP 508 writes them, without spaces. */
export function formatSpecifiers(specifiers: readonly Specifier[]): string {
  return specifiers.map(({ operator, text, wildcard }) => operator + text + (wildcard ? '.*' : '')).join(',');
}

/** Whether every clause lets the version in. Pre-releases are let in: who prefers final releases chooses afterwards. */
export function satisfies(version: Version, specifiers: readonly Specifier[]): boolean {
  return specifiers.every((specifier) => matches(version, specifier));
}

/** Whether a set of clauses names one version and nothing else, as a pin does. */
export function isExact(specifiers: readonly Specifier[]): boolean {
  const [only, ...others] = specifiers;
  return only !== undefined && others.length === 0 && /^={2,3}$/.test(only.operator) && !only.wildcard;
}

function matches(version: Version, { operator, text, version: wanted, wildcard }: Specifier): boolean {
  if (operator === '===') return version.text.toLowerCase() === text.toLowerCase();
  if (wanted === null) return false;
  switch (operator) {
    case '==':
      return wildcard ? startsWith(version, wanted, wanted.release.length) : isEqual(version, wanted);
    case '!=':
      return !(wildcard ? startsWith(version, wanted, wanted.release.length) : isEqual(version, wanted));
    case '~=':
      return order(version, wanted) >= 0 && startsWith(version, wanted, wanted.release.length - 1);
    case '<=':
      return order(version, wanted) <= 0;
    case '>=':
      return order(version, wanted) >= 0;
    case '<':
      return isBefore(version, wanted);
    case '>':
      return isAfter(version, wanted);
  }
}

/** PEP 440, "Version matching": the local part of the candidate counts only where the clause has one. */
function isEqual(version: Version, wanted: Version): boolean {
  return compare(wanted.local === null ? version.public : version.normal, wanted.normal) === 0;
}

/** "Local version identifiers are NOT permitted" in ordered clauses, and those of candidates are ignored. */
function order(version: Version, wanted: Version): number {
  return compare(version.public, wanted.public);
}

/** "Exclusive ordered comparison": <V leaves out pre-releases of V, unless V is one itself. */
function isBefore(version: Version, wanted: Version): boolean {
  if (compare(version.normal, wanted.normal) >= 0) return false;
  return wanted.isPrerelease || !version.isPrerelease || compare(version.base, wanted.base) !== 0;
}

/** ">V leaves out post-releases and local versions of V", unless V is a post-release itself. */
function isAfter(version: Version, wanted: Version): boolean {
  if (compare(version.normal, wanted.normal) <= 0) return false;
  const sameBase = compare(version.base, wanted.base) === 0;
  if (!wanted.isPost && version.isPost && sameBase) return false;
  return version.local === null || !sameBase;
}

/** PEP 440, "prefix match": both padded by zeros. */
function startsWith(version: Version, wanted: Version, length: number): boolean {
  if (version.epoch !== wanted.epoch) return false;
  for (let index = 0; index < length; index += 1)
    if ((version.release[index] ?? 0) !== (wanted.release[index] ?? 0)) return false;
  return true;
}
