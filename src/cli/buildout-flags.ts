import { CHOICES, type ExpressionOptions } from '../index.ts';
import { type Flag, type Parsed, choiceOf, numberOf, usage } from './flags.ts';

/** Flags of everything that reads a buildout. */
export const READING_FLAGS: readonly Flag[] = [
  {
    name: 'python',
    value: 'VERSION',
    help: "the target's full version (the lock's, else that of nixpkgs, else 3.11.2)",
  },
  { name: 'nixpkgs', value: 'WHERE', help: 'URL#HASH of a nixpkgs tarball, or a folder (<nixpkgs>)' },
];

/** Flags of everything that resolves one. */
export const RESOLVING_FLAGS: readonly Flag[] = [
  {
    name: 'index',
    value: 'WHERE',
    many: true,
    help: "a package index or a wheelhouse, in place of the buildout's and pip's",
  },
  { name: 'find-links', value: 'WHERE', many: true, help: 'a folder or page of distributions, too' },
  { name: 'constraint', value: 'FILE', many: true, help: "a constraints file, as pip's -c" },
  { name: 'frozen', help: 'fail where the lock would change' },
  {
    name: 'upgrade',
    value: '[EGG…]',
    many: true,
    help: 'move these, or all, that are not pinned to the newest versions',
  },
];

/** Flags of Nix that its evaluation of nixpkgs needs; `pack` has more. */
export const EVALUATION_FLAGS: readonly Flag[] = [
  {
    name: 'include',
    short: 'I',
    value: 'PATH',
    many: true,
    help: 'where <names> are looked up: nixpkgs=FOLDER or FOLDER',
  },
  { name: 'nix-option', value: 'NAME VALUE', many: true, help: "one of Nix's own settings" },
  { name: 'store', value: 'STORE', help: 'folder of a chroot store, local, or daemon' },
  { name: 'sandbox', value: 'KIND', help: 'bubblewrap (default) or none' },
  { name: 'show', value: 'DIR', many: true, help: 'let Nix read this folder, too' },
  { name: 'timeout', value: 'SECONDS', help: 'end Nix after this time' },
];

export function readingChoices(flags: Parsed): Pick<ExpressionOptions, 'python' | 'nixpkgs'> {
  return { python: flags.one('python'), nixpkgs: flags.one('nixpkgs') };
}

export function resolvingChoices(
  flags: Parsed,
): Pick<ExpressionOptions, 'indexes' | 'findLinks' | 'constraints' | 'frozen' | 'upgrade'> {
  const upgrade = flags.words('upgrade');
  return {
    indexes: flags.all('index'),
    findLinks: flags.all('find-links'),
    constraints: flags.all('constraint'),
    frozen: flags.has('frozen'),
    upgrade: upgrade?.length === 0 ? 'all' : upgrade,
  };
}

export function evaluationChoices(
  flags: Parsed,
): Pick<ExpressionOptions, 'include' | 'nixOptions' | 'store' | 'sandbox' | 'show' | 'timeout'> {
  return {
    include: flags.all('include'),
    nixOptions: flags.pairs('nix-option'),
    store: flags.one('store'),
    sandbox: choiceOf('sandbox', flags.one('sandbox'), CHOICES.sandbox),
    show: flags.all('show'),
    timeout: numberOf('timeout', flags.one('timeout')),
  };
}

/** What is set over the file, as zc.buildout's command line has it. */
export type Override = readonly [section: string, option: string, value: string];

/**
 * Takes `section:option=value` out of the positional arguments: `[buildout]` stands where no section does. `+=` and `-=`
 * add and remove lines.
 */
export function splitOverrides(positionals: readonly string[]): {
  readonly names: readonly string[];
  readonly overrides: readonly Override[];
} {
  const names: string[] = [];
  const overrides: Override[] = [];
  for (const word of positionals) {
    const [, section = 'buildout', option = '', operator = '', value = ''] =
      /^(?:([^:=\s]*):)?([^:=\s+-][^:=\s]*?)\s*([+-]?)=(.*)$/s.exec(word) ?? [];
    if (option === '') names.push(word);
    else overrides.push([section === '' ? 'buildout' : section, `${option}${operator}`, value]);
  }
  return { names, overrides };
}

/** The file first, then at most one name, and what is set over the file. */
export function buildoutArguments(
  command: string,
  what: string,
  [file, ...rest]: readonly string[],
): { readonly file: string; readonly name: string | undefined; readonly overrides: readonly Override[] } {
  const { names, overrides } = splitOverrides(rest);
  const [name, ...more] = names;
  if (file === undefined) throw usage(`${command} takes a buildout file`);
  if (more.length > 0) throw usage(`${command} takes a buildout file and at most one ${what}, got ${names.join(' ')}`);
  return { file, name, overrides };
}
