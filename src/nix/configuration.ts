import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { baseName, isChosen, render, wordsOf } from './settings.ts';
import type { Setting } from './settings.ts';
import type { Holding } from './holding.ts';

/** Settings that are secrets, or name files that hold them. `impure-env` carries tokens into fixed-output builds. */
const SECRETS: ReadonlySet<string> = new Set(['access-tokens', 'netrc-file', 'secret-key-files', 'impure-env']);

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
    .map((setting) => ({ ...setting, value: withoutCredentials(setting, step) }));
  const secret = ({ name }: Setting) => SECRETS.has(baseName(name));
  const ofFiles = shown.filter(({ from }) => from !== 'run');
  const ofRun = shown.filter(({ from }) => from === 'run');
  const granted = step === 'realisation' ? settings.filter(secret) : [];
  return {
    file: render([...own(daemon), ...ofFiles.filter((setting) => !secret(setting))]),
    variable: render([
      ...granted.map((setting) => renamed(setting, circumstances.secretFiles)),
      ...ofRun.filter((setting) => !secret(setting)),
      ...forced(settings, circumstances),
    ]),
  };
}

/** A log that is not compressed can be named in an error and read with any pager. The user's files may differ. */
function own(daemon: boolean): readonly { readonly name: string; readonly value: string }[] {
  return daemon ? [] : [{ name: 'compress-build-log', value: 'false' }];
}

/** What the user cannot change, since the sandbox stands on it. */
function forced(
  settings: readonly Setting[],
  { step, daemon, bubblewrap, offline, holding }: Circumstances,
): readonly { readonly name: string; readonly value: string }[] {
  const lines: { readonly name: string; readonly value: string }[] = [];
  if (offline) {
    const local = wordsOf(settings, 'substituters').filter((word) => folderOfSubstituter(word) !== null);
    lines.push({ name: 'substituters', value: local.join(' ') });
  }
  // An ssh agent is there in realisation only.
  if (step === 'evaluation') lines.push({ name: 'builders', value: '' });
  if (daemon) return lines;
  lines.push({ name: 'build-users-group', value: bubblewrap && holding === 'users' ? 'nixbld' : '' });
  if (!bubblewrap) return lines;
  if (step === 'evaluation') lines.push({ name: 'sandbox', value: holding === 'chroot' ? 'true' : 'false' });
  else if (!isChosen(settings, 'sandbox')) lines.push({ name: 'sandbox', value: String(holding !== 'view') });
  if (!isChosen(settings, 'sandbox-fallback')) lines.push({ name: 'sandbox-fallback', value: 'false' });
  return lines;
}

/** Evaluation also loses the caches whose URL has a password. */
function withoutCredentials({ name, value }: Setting, step: Circumstances['step']): string {
  if (step === 'realisation' || !SUBSTITUTERS.has(baseName(name))) return value;
  return value
    .split(/\s+/)
    .filter((word) => !/^[a-z0-9+-]+:\/\/[^/]*@/i.test(word))
    .join(' ');
}

function renamed(setting: Setting, files: readonly SecretFile[]): Setting {
  const value = setting.value
    .split(/\s+/)
    .map((word) => files.find(({ source }) => source === word)?.target ?? word)
    .join(' ');
  return { ...setting, value };
}

/** The files with secrets that the settings name, netrc's default place included. */
export function secretFilesOf(settings: readonly Setting[], machineFolder: string): readonly SecretFile[] {
  const keys = wordsOf(settings, 'secret-key-files').filter((path) => isAbsolute(path));
  const netrc = wordsOf(settings, 'netrc-file').at(-1) ?? join(machineFolder, 'netrc');
  return [
    ...(isAbsolute(netrc) ? [{ source: netrc, target: '/etc/nix/netrc' }] : []),
    ...keys.map((source, index) => ({ source, target: `/etc/nix/secret-key-${index + 1}` })),
  ];
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
