import { OciPloneError } from '../errors.ts';
import type { Lock, LockedPackage } from './lock.ts';
import { canonicalName, isProjectName } from './name.ts';
import { parseVersion } from './version.ts';
import type { Missing } from './working-set.ts';

/**
 * Reads a lock, and takes nothing on trust: people merge these files by hand.
 *
 * @param from - the file's name, for errors
 * @throws INPUT_MALFORMED
 */
export function parseLock(text: string, from: string): Lock {
  const check = new Checker(from);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw check.wrong('it is not JSON');
  }
  const lock = check.record(content, 'the lock');
  if (lock['version'] !== 1) throw check.wrong(`"version" expected 1, got ${JSON.stringify(lock['version'])}`);
  const packages = check.list(lock['packages'], 'packages').map((item, at) => parsePackage(item, at, check));
  const missing =
    lock['missing'] === undefined
      ? []
      : check.list(lock['missing'], 'missing').map((item, at) => parseMissing(item, at, check));
  const names = packages.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw check.wrong(`${twice} is there twice`);
  return {
    version: 1,
    python: check.match(lock['python'], 'python', /^\d+\.\d+\.\d+$/),
    platform: check.match(lock['platform'], 'platform', /^[a-z0-9_]+$/),
    glibc: check.match(lock['glibc'], 'glibc', /^\d+\.\d+$/),
    inputs: check.match(lock['inputs'], 'inputs', /^sha256:[0-9a-f]{64}$/),
    picked: check.texts(lock['picked'], 'picked'),
    missing,
    packages: packages.sort((left, right) => (left.name < right.name ? -1 : 1)),
  };
}

function parsePackage(item: unknown, at: number, check: Checker): LockedPackage {
  const record = check.record(item, `packages[${at}]`);
  const name = check.match(record['name'], `packages[${at}].name`, /^[a-z0-9-]+$/);
  if (!isProjectName(name) || canonicalName(name) !== name) throw check.wrong(`"${name}" is not a canonical name`);
  const version = check.match(record['version'], `version of ${name}`, /^\S+$/);
  if (parseVersion(version) === null) throw check.wrong(`"${version}" of ${name} is not a version`);
  const { kind } = record;
  if (kind !== 'wheel' && kind !== 'sdist')
    throw check.wrong(`"kind" of ${name} expected wheel or sdist, got ${JSON.stringify(kind)}`);
  return {
    name,
    version,
    kind,
    file: check.match(record['file'], `file of ${name}`, /^[^/\\\0]*[^/\\\0.][^/\\\0]*$/),
    sha256: check.match(record['sha256'], `sha256 of ${name}`, /^[0-9a-f]{64}$/),
    url: record['url'] === undefined ? null : parseUrl(record['url'], name, check),
    extras: record['extras'] === undefined ? [] : check.texts(record['extras'], `extras of ${name}`),
    requires: check.texts(record['requires'] ?? [], `requires of ${name}`),
    requiredBy: check.texts(record['requiredBy'], `requiredBy of ${name}`),
  };
}

function parseUrl(value: unknown, name: string, check: Checker): string {
  const text = check.match(value, `url of ${name}`, /^https?:\/\/\S+$/);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== '' || url.password !== '')
    throw check.wrong(`"url" of ${name} has to be an address without user and password`);
  return text;
}

function parseMissing(item: unknown, at: number, check: Checker): Missing {
  const record = check.record(item, `missing[${at}]`);
  return {
    name: check.match(record['name'], `missing[${at}].name`, /^[a-z0-9-]+$/),
    requirement: check.match(record['requirement'], `missing[${at}].requirement`, /./),
    reason: check.match(record['reason'], `missing[${at}].reason`, /./),
    requiredBy: check.texts(record['requiredBy'], `missing[${at}].requiredBy`),
  };
}

class Checker {
  readonly #from: string;

  constructor(from: string) {
    this.#from = from;
  }

  wrong(why: string): OciPloneError {
    return new OciPloneError('INPUT_MALFORMED', `the lock ${this.#from} cannot be read: ${why}`, {
      hint: 'Delete it to have everything resolved again, or take the one that was committed.',
    });
  }

  record(value: unknown, what: string): Readonly<Record<string, unknown>> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.wrong(`${what} is not an object`);
    return { ...value };
  }

  list(value: unknown, what: string): readonly unknown[] {
    if (!Array.isArray(value)) throw this.wrong(`"${what}" is not a list`);
    return value;
  }

  texts(value: unknown, what: string): readonly string[] {
    return this.list(value, what).map((item) => this.match(item, what, /^\S+$/));
  }

  match(value: unknown, what: string, pattern: RegExp): string {
    if (typeof value !== 'string' || !pattern.test(value))
      throw this.wrong(`"${what}" cannot be ${JSON.stringify(value) ?? 'absent'}`);
    return value;
  }
}
