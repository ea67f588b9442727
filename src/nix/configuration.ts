import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseName, isChosen, render, wordsOf } from './settings.ts';
import type { Setting } from './settings.ts';
import type { Holding } from './holding.ts';

/** Settings that are secrets, or name files that hold them. `impure-env` carries tokens into fixed-output builds. */
const SECRETS: ReadonlySet<string> = new Set(['access-tokens', 'netrc-file', 'secret-key-files', 'impure-env']);

/** Those of them whose value is the name of a file. */
const FILES: readonly string[] = ['netrc-file', 'secret-key-files'];

/** Settings of the machine's nix.conf that speak of a Nix without bubblewrap around it. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set([
  'sandbox',
  'sandbox-fallback',
  'build-users-group',
  'auto-allocate-uids',
  'use-cgroups',
]);

const SUBSTITUTERS: ReadonlySet<string> = new Set(['substituters', 'trusted-substituters']);

/** A file with secrets that realisation may read, and the name it has there. */
export interface SecretFile {
  readonly setting: string;
  readonly source: string;
  readonly target: string;
}

export interface Configuration {
  /** The text of /etc/nix/nix.conf, without secrets, the same for every step. */
  readonly file: string;
  /** NIX_CONFIG of a step, which wins over the file. It travels in the environment, where other users cannot read it. */
  readonly variable: string;
}

export interface Circumstances {
  readonly step: 'evaluation' | 'realisation';
  /** A daemon has its own say about builders and their sandbox. */
  readonly daemon: boolean;
  readonly bubblewrap: boolean;
  readonly offline: boolean;
  readonly holding: Holding;
  readonly secretFiles: readonly SecretFile[];
}

/** What Nix is told in one step. */
export function configure(settings: readonly Setting[], circumstances: Circumstances): Configuration {
  const { step, daemon, bubblewrap } = circumstances;
  const shown = settings
    .filter(({ name, from }) => daemon || !bubblewrap || from !== 'machine' || !OF_THE_MACHINE.has(name))
    .map((setting) => withoutCredentials(setting, step));
  const ofFiles = shown.filter(({ from }) => from !== 'run');
  const ofRun = shown.filter(({ from }) => from === 'run');
  return {
    file: render([...own(daemon), ...ofFiles.filter((setting) => !isSecret(setting))]),
    variable: render([
      ...granted(settings, circumstances),
      ...ofRun.filter((setting) => !isSecret(setting)),
      ...forced(settings, circumstances),
    ]),
  };
}

type Line = Pick<Setting, 'name' | 'value'>;

/** A log that is not compressed can be named in an error and read with any pager. The user's files may differ. */
function own(daemon: boolean): readonly Line[] {
  return daemon ? [] : [{ name: 'compress-build-log', value: 'false' }];
}

/** What the user cannot change, since the sandbox stands on it. */
function forced(
  settings: readonly Setting[],
  { step, daemon, bubblewrap, offline, holding }: Circumstances,
): readonly Line[] {
  const lines: Line[] = [];
  if (offline) {
    const local = wordsOf(settings, 'substituters').filter((word) => folderOfSubstituter(word) !== null);
    lines.push({ name: 'substituters', value: local.join(' ') });
  }
  // An ssh agent is there in realisation only.
  if (step === 'evaluation') lines.push({ name: 'builders', value: '' });
  if (daemon) return lines;
  lines.push({ name: 'build-users-group', value: bubblewrap && holding === 'users' ? 'nixbld' : '' });
  if (!bubblewrap) return lines;
  if (step === 'evaluation') lines.push({ name: 'sandbox', value: 'false' });
  else if (!isChosen(settings, 'sandbox')) lines.push({ name: 'sandbox', value: String(holding !== 'view') });
  if (!isChosen(settings, 'sandbox-fallback')) lines.push({ name: 'sandbox-fallback', value: 'false' });
  return lines;
}

/** Evaluation also loses the caches whose URL has a password. */
function withoutCredentials(setting: Setting, step: Circumstances['step']): Setting {
  if (step === 'realisation' || !SUBSTITUTERS.has(baseName(setting.name))) return setting;
  const words = setting.value.split(/\s+/).filter((word) => !/^[a-z0-9+-]+:\/\/[^/]*@/i.test(word));
  return { ...setting, value: words.join(' ') };
}

/** Whether realisation is told something that builders should not read. */
export function hasSecrets(settings: readonly Setting[]): boolean {
  return settings.some(isSecret);
}

function isSecret({ name }: Pick<Setting, 'name'>): boolean {
  return SECRETS.has(baseName(name));
}

/** What only realisation is told. Files are named by the place they have there. */
function granted(settings: readonly Setting[], { step, secretFiles }: Circumstances): readonly Line[] {
  if (step === 'evaluation') return [];
  const targets = (name: string) => secretFiles.filter(({ setting }) => setting === name).map(({ target }) => target);
  return [
    ...settings.filter(({ name }) => isSecret({ name }) && !FILES.includes(baseName(name))),
    ...FILES.map((name) => ({ name, value: targets(name).join(' ') })).filter(({ value }) => value !== ''),
  ];
}

/** The files with secrets that the settings name, netrc's default place included. */
export function secretFilesOf(settings: readonly Setting[], machineFolder: string): readonly SecretFile[] {
  const netrc = wordsOf(settings, 'netrc-file').at(-1) ?? join(machineFolder, 'netrc');
  const keys = wordsOf(settings, 'secret-key-files');
  return [
    { setting: 'netrc-file', source: netrc, target: '/etc/nix/netrc' },
    ...keys.map((source, at) => ({ setting: 'secret-key-files', source, target: `/etc/nix/secret-key-${at + 1}` })),
  ].filter(({ source }) => isAbsolute(source));
}

/** The folder behind a `file://` binary cache or a store in a folder, or null for anything else. */
export function folderOfSubstituter(word: string): string | null {
  if (word.startsWith('file://')) {
    try {
      return fileURLToPath(word.replace(/[?#].*/, ''));
    } catch {
      return null;
    }
  }
  const path = word.replace(/\?.*/, '');
  return isAbsolute(path) ? path : null;
}
