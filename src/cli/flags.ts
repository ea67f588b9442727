import { parseArgs } from 'node:util';
import { OciPloneError } from '../index.ts';
import { didYouMean } from '../nearest-name.ts';

/** One flag of a command: how it is read, and its line in the help. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /**
   * What stands for its value in the help; a flag without one is a switch. Two words take two arguments, as Nix's do;
   * `[EGG…]` takes all that follow up to the next flag, which may be none.
   */
  readonly value?: string;
  readonly many?: boolean;
  readonly help: string;
}

export interface Parsed {
  readonly positionals: readonly string[];
  has(name: string): boolean;
  /** The last value given. */
  one(name: string): string | undefined;
  /** Every value given. */
  all(name: string): readonly string[];
  /** The words after a flag that takes any number; undefined where it was not given. */
  words(name: string): readonly string[] | undefined;
  /** Every pair given, of a flag with two arguments or with NAME=VALUE. */
  pairs(name: string): readonly (readonly [string, string])[];
}

/** Stands between the two arguments of a flag; no argument can have it. */
const BETWEEN = '\0';

export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'json', help: 'print one JSON document instead of the digest' },
  { name: 'quiet', short: 'q', help: 'no progress on stderr' },
  { name: 'debug', help: 'show where an error came from' },
  { name: 'help', short: 'h', help: 'show this' },
];

/** Reads a command's arguments. Throws USAGE. */
export function parseFlags(argv: readonly string[], flags: readonly Flag[]): Parsed {
  const options = Object.fromEntries(
    flags.map(({ name, short, value }) => [
      name,
      {
        type: value === undefined ? 'boolean' : 'string',
        multiple: true,
        ...(short === undefined ? {} : { short }),
      } as const,
    ]),
  );
  const { values, positionals } = parsed(flags, () =>
    parseArgs({ args: joinValues(argv, flags), options, allowPositionals: true, strict: true }),
  );
  const all = (name: string): readonly string[] => (values[name] ?? []).filter((value) => typeof value === 'string');
  for (const { name, value, many } of flags)
    if (value !== undefined && many !== true && all(name).length > 1) throw usage(`--${name} is given more than once`);
  return {
    positionals,
    all,
    has: (name) => values[name] !== undefined,
    one: (name) => all(name).at(-1),
    words: (name) =>
      values[name] === undefined
        ? undefined
        : all(name)
            .flatMap((list) => list.split(BETWEEN))
            .filter((word) => word !== ''),
    pairs: (name) => all(name).map((value) => pair(name, value)),
  };
}

function pair(name: string, value: string): readonly [string, string] {
  const between = value.includes(BETWEEN) ? value.indexOf(BETWEEN) : value.indexOf('=');
  if (between < 1) throw usage(`--${name} expected NAME=VALUE, got ${JSON.stringify(value)}`);
  return [value.slice(0, between), value.slice(between + 1)];
}

/** `--arg NAME VALUE` and `--upgrade EGG EGG` as one argument, which is all that node's parser knows. */
function joinValues(argv: readonly string[], flags: readonly Flag[]): string[] {
  const named = (test: (value: string) => boolean): ReadonlySet<string> =>
    new Set(flags.filter(({ value }) => value !== undefined && test(value)).map(({ name }) => `--${name}`));
  const [lists, twofold] = [named(isList), named((value) => value.includes(' '))];
  const joined: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '--') return [...joined, ...argv.slice(index)];
    if (lists.has(argument)) {
      const end = argv.findIndex((word, at) => at > index && !isPlainWord(word));
      const words = argv.slice(index + 1, end === -1 ? undefined : end);
      joined.push(`${argument}=${words.join(BETWEEN)}`);
      index += words.length;
    } else if (twofold.has(argument)) {
      const [name, value] = argv.slice(index + 1, index + 3);
      if (name === undefined || value === undefined) throw usage(`${argument} takes two arguments`);
      joined.push(`${argument}=${name}${BETWEEN}${value}`);
      index += 2;
    } else {
      joined.push(argument);
    }
  }
  return joined;
}

function isList(value: string): boolean {
  return value.startsWith('[');
}

/** No flag, and no file: `--upgrade buildout.cfg` upgrades everything in that file. */
function isPlainWord(word: string): boolean {
  return !word.startsWith('-') && !/\/|\.cfg$/.test(word);
}

function parsed<T>(flags: readonly Flag[], parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, unknown] = /^Unknown option '--([^']+)'/.exec(message) ?? [];
    if (unknown === undefined) throw usage(message.replace(/\. To specify a positional argument.*$/s, ''));
    const names = flags.map(({ name }) => name);
    throw usage(`there is no flag --${unknown}${didYouMean(unknown, names)}`);
  }
}

/** A number of a flag. */
export function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number))
    throw usage(`--${name} expected a number, got ${JSON.stringify(value)}`);
  return number;
}

/** One of a few words. */
export function choiceOf<T extends string>(
  name: string,
  value: string | undefined,
  choices: readonly T[],
): T | undefined {
  const choice = choices.find((word) => word === value);
  if (value !== undefined && choice === undefined)
    throw usage(`--${name} expected ${choices.join(', ')}, got ${JSON.stringify(value)}`);
  return choice;
}

/** A list of words of a flag: one word, or a JSON list of them. */
export function wordsOf(name: string, value: string | undefined): readonly string[] | undefined {
  if (value === undefined || !value.startsWith('[')) return value === undefined ? undefined : [value];
  try {
    const words: unknown = JSON.parse(value);
    if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
  } catch {
    // Falls through to the error that names the rule.
  }
  throw usage(`--${name} expected a word or a JSON list of words, got ${JSON.stringify(value)}`);
}

export function usage(message: string): OciPloneError {
  return new OciPloneError('USAGE', message, { hint: 'Add --help to see what there is.' });
}
