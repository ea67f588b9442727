import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { localError, OciPloneError, systemCode, throwIfAborted } from '../errors.ts';
import type { IndexLocation } from './index-location.ts';
import { pipSettings } from './pip-settings.ts';
import type { PipSettings } from './pip-settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const LONGEST_HELP = 30_000;

/** What the user and the buildout say about where to look. */
export interface LocationOptions {
  /** `--index`: given once or several times, nothing else is looked at but find-links. */
  readonly flags: readonly string[];
  /** The buildout's `index`, or null. */
  readonly index: string | null;
  /** The buildout's `find-links`. */
  readonly findLinks: readonly string[];
  readonly env: Environment;
  /** False where folders are all that matters, as for a lock: pip is not asked for its default. @default true */
  readonly withDefault?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Where distributions are looked for: `--index`, else the buildout's `index`, else what pip is set up with, else what pip
 * itself would take.
 *
 * @throws INPUT_ABSENT where nothing names an index and pip is not there, LOCAL_IO, ABORTED
 */
export async function locateIndex(options: LocationOptions): Promise<IndexLocation> {
  const { flags, index, findLinks, env, signal } = options;
  if (flags.length > 0) return { indexes: flags, findLinks };
  if (index !== null && index !== '') return { indexes: [index], findLinks };
  const settings = await readPipSettings(env);
  const links = [...findLinks, ...settings.findLinks];
  if (settings.noIndex) return { indexes: [], findLinks: links };
  const first = settings.indexUrl ?? (options.withDefault === false ? null : await pipDefaultIndex(env, signal));
  return { indexes: [...(first === null ? [] : [first]), ...settings.extraIndexUrls], findLinks: links };
}

/**
 * pip's settings, from the files that it reads (its "Configuration" page: global, user, virtual environment, then
 * PIP_CONFIG_FILE) and from the environment.
 *
 * @throws LOCAL_IO
 */
export async function readPipSettings(env: Environment): Promise<PipSettings> {
  const files = await Promise.all(pipConfigFiles(env).map(async (path) => readIfThere(path)));
  return pipSettings(
    files.filter((text) => text !== null),
    env,
  );
}

/** The paths of pip's configuration files, the weakest first. */
export function pipConfigFiles(env: Environment): readonly string[] {
  const own = env['PIP_CONFIG_FILE'] ?? '';
  if (own === devNull) return [];
  const home = env['HOME'] ?? '';
  const shared = (env['XDG_CONFIG_DIRS'] || '/etc/xdg').split(':').filter((folder) => folder !== '');
  const config = env['XDG_CONFIG_HOME'] || (home === '' ? '' : join(home, '.config'));
  const venv = env['VIRTUAL_ENV'] ?? '';
  return [
    ...shared.map((folder) => join(folder, 'pip', 'pip.conf')),
    '/etc/pip.conf',
    // A file that is named replaces the user's own ones.
    ...(home === '' || own !== '' ? [] : [join(home, '.pip', 'pip.conf')]),
    ...(config === '' || own !== '' ? [] : [join(config, 'pip', 'pip.conf')]),
    ...(venv === '' ? [] : [join(venv, 'pip.conf')]),
    ...(own === '' ? [] : [own]),
  ];
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error))) return null;
    throw localError(`reading ${path}`, error);
  });
}

/**
 * The index that pip takes when nobody names one: its help says so.
 *
 * @throws INPUT_ABSENT without pip, ABORTED
 */
export async function pipDefaultIndex(env: Environment, signal?: AbortSignal): Promise<string> {
  throwIfAborted(signal);
  const help = await pipHelp(env, signal);
  throwIfAborted(signal);
  const index = defaultOfHelp(help);
  if (index !== null) return index;
  throw new OciPloneError('INPUT_ABSENT', 'no package index is named, and there is no pip here that would know one', {
    hint: 'Name one by --index, by the option index of the buildout, or install pip (apt-get install python3-pip).',
  });
}

/** The address behind `--index-url` in pip's help, which may be broken over lines. */
export function defaultOfHelp(help: string): string | null {
  const text = help.slice(Math.max(0, help.indexOf('--index-url'))).slice(0, 1000);
  const address = /\(default:?\s+(https?:\/\/[^)]+)\)/.exec(text)?.[1]?.replace(/\s+/g, '') ?? '';
  return URL.canParse(address) ? address : null;
}

async function pipHelp(env: Environment, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve) => {
    const options = {
      env: { ...env, COLUMNS: '500', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
      timeout: LONGEST_HELP,
      killSignal: 'SIGKILL',
      ...(signal === undefined ? {} : { signal }),
    } as const;
    // Whatever goes wrong, there is then no help to be read.
    execFile('python3', ['-m', 'pip', 'install', '--help'], options, (_error, stdout) => {
      resolve(stdout);
    });
  });
}
