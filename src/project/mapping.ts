import type { Buildout } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { canonicalName, isProjectName } from '../python/name.ts';
import { didYouMean } from '../nearest-name.ts';
import { placeOf } from './place.ts';
import { words } from './words.ts';

/** An option of the recipe that gives values to packages. */
export interface Mapping {
  /** By canonical name. */
  readonly of: ReadonlyMap<string, readonly string[]>;
  /** Words that are neither a section's name nor `package=value`. */
  readonly plain: readonly string[];
}

/**
 * Reads a mapping of collective.recipe.nix: each word is a section's name, whose options are packages and whose values are
 * lists, or `package=value[,value]`.
 *
 * @throws INPUT_MALFORMED for a key that is no package's name, and for a section that cannot be resolved
 */
export function readMapping(buildout: Buildout, section: string, option: string): Mapping {
  const of = new Map<string, readonly string[]>();
  const plain: string[] = [];
  for (const word of words(buildout.find(section, option))) {
    const equals = word.indexOf('=');
    if (buildout.has(word)) {
      for (const [key, value] of buildout.section(word)) of.set(packageName(key, buildout, word, key), words(value));
    } else if (equals > 0) {
      const name = packageName(word.slice(0, equals), buildout, section, option);
      const values = word.slice(equals + 1).split(',');
      of.set(name, [...(of.get(name) ?? []), ...values.filter((value) => value !== '')]);
    } else {
      plain.push(word);
    }
  }
  return { of, plain };
}

/** The same, for an option that has no use for a plain word. */
export function readPureMapping(buildout: Buildout, section: string, option: string): Mapping['of'] {
  const { of, plain } = readMapping(buildout, section, option);
  const [word] = plain;
  if (word === undefined) return of;
  throw new OciPloneError(
    'INPUT_MALFORMED',
    `${placeOf(buildout, section, option)}: "${word}" is no section${didYouMean(word, buildout.sections)}`,
    { hint: 'Write the name of a section, or package=value.' },
  );
}

function packageName(text: string, buildout: Buildout, section: string, option: string): string {
  if (isProjectName(text)) return canonicalName(text);
  throw new OciPloneError(
    'INPUT_MALFORMED',
    `${placeOf(buildout, section, option)}: "${text}" cannot be the name of a package`,
  );
}
