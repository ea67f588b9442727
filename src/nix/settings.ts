import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { OciPloneError } from '../errors.ts';

/** One line of Nix's configuration. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** Where it was said: the machine's files, the user's files, or for this very run (NIX_CONFIG, --nix-option). */
  readonly from: 'machine' | 'user' | 'run';
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Everything that configures Nix, in the order in which Nix would apply it: /etc/nix/nix.conf, the user's nix.conf,
 * NIX_CONFIG, --nix-option. Throws USAGE for an option that is none.
 */
export function readSettings(
  env: Env,
  options: readonly (readonly [name: string, value: string])[],
): readonly Setting[] {
  const settings: Setting[] = [];
  const machine = join(env['NIX_CONF_DIR'] || '/etc/nix', 'nix.conf');
  settings.push(...readFileSettings(machine, 'machine', 0));
  for (const file of userFiles(env)) settings.push(...readFileSettings(file, 'user', 0));
  settings.push(...parse(env['NIX_CONFIG'] ?? '', 'run', '/', 0));
  for (const [name, value] of options) settings.push(checkedOption(name, value));
  return settings.map(withMachines);
}

/** Nix applies the least important of the user's files first. */
function userFiles(env: Env): readonly string[] {
  const named = env['NIX_USER_CONF_FILES'];
  if (named !== undefined)
    return named
      .split(':')
      .filter((file) => isAbsolute(file))
      .reverse();
  const folders = [env['XDG_CONFIG_HOME'] || join(env['HOME'] || '/', '.config')];
  folders.push(...(env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':'));
  return folders
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, 'nix', 'nix.conf'))
    .reverse();
}

function checkedOption(name: string, value: string): Setting {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new OciPloneError('USAGE', `"--nix-option" expected the name of a setting of Nix, got ${name}`);
  }
  if (/[\n\r#]/.test(value)) {
    throw new OciPloneError(
      'USAGE',
      `"--nix-option ${name}" expected one line without "#", which nix.conf cannot hold`,
    );
  }
  return { name, value: value.trim(), from: 'run' };
}

/** `builders = @FILE` names a list of machines, one a line: the sandbox gets the list in place of the file. */
function withMachines(setting: Setting): Setting {
  if (baseName(setting.name) !== 'builders' || !setting.value.startsWith('@')) return setting;
  const text = readOrNull(setting.value.slice(1)) ?? '';
  const machines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return { ...setting, value: machines.filter((machine) => machine !== '').join(' ; ') };
}

function readFileSettings(file: string, from: Setting['from'], depth: number): readonly Setting[] {
  const text = readOrNull(file);
  return text === null ? [] : parse(text, from, dirname(file), depth);
}

/** Null for what is absent, or not for this user to read: Nix skips it, too. */
function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** nix.conf(5): `name = value`, `include FILE`, `!include FILE`, comments from # to the end of the line. */
function parse(text: string, from: Setting['from'], folder: string, depth: number): readonly Setting[] {
  const settings: Setting[] = [];
  for (const line of text.split('\n')) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/);
    const [first, second, ...rest] = words;
    if (first === undefined || second === undefined) continue;
    if (first === 'include' || first === '!include') {
      if (depth < 10) settings.push(...readFileSettings(resolve(folder, second), from, depth + 1));
    } else if (second === '=') {
      settings.push({ name: first, value: rest.join(' '), from });
    }
  }
  return settings;
}

/** The name of a setting whatever `extra-` says about adding to it. */
export function baseName(name: string): string {
  return name.startsWith('extra-') ? name.slice('extra-'.length) : name;
}

/** Whether this very user asked for a setting; what the machine's nix.conf says was said about another sandbox. */
export function isChosen(settings: readonly Setting[], name: string): boolean {
  return settings.some((setting) => setting.name === name && setting.from !== 'machine');
}

/** All words of a setting and its `extra-` companion, whoever said them. */
export function wordsOf(settings: readonly Setting[], name: string): readonly string[] {
  return settings
    .filter((setting) => baseName(setting.name) === name)
    .flatMap((setting) => setting.value.split(/\s+/))
    .filter((word) => word !== '');
}

export function render(settings: readonly Pick<Setting, 'name' | 'value'>[]): string {
  return settings.map(({ name, value }) => `${name} = ${value}\n`).join('');
}
