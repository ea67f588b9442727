import { isAbsolute, resolve } from 'node:path';
import { malformed } from './failure.ts';
import { lastOrigins, setOption } from './option.ts';
import type { Option, Section, Sections } from './option.ts';
import { DEFAULT, isUrl, place } from './origin.ts';
import { baseOf, expandUser, joinPath } from './paths.ts';
import type { Target } from './condition.ts';

/**
 * What zc.buildout 6.0.1 puts into [buildout] by itself, in its order. On purpose this is not the same:
 *
 * | option or section               | zc.buildout                            | here, and why                             |
 * | ------------------------------- | -------------------------------------- | ----------------------------------------- |
 * | `executable`                    | the Python that runs buildout          | `python3.11`: the target's name; no       |
 * |                                 |                                        | Python runs this, its path is not known   |
 * | `[versions] zc.buildout`        | `>=` the version that runs, if unset   | nothing: no zc.buildout runs that could   |
 * |                                 |                                        | be downgraded; 2.7 has no such version    |
 * | `eggs-directory` and            | one more folder, of the ABI of the     | left out: no eggs are written             |
 * | `abi-tag-eggs = true`           | Python that runs                       |                                           |
 * | `install-from-cache`, `offline` | both together are an error             | allowed: nothing is installed             |
 * | `log-level`, `verbosity`,       | must be a level, or a number           | not looked at                             |
 * | `extends-cache = ~/…` in files  | `~` is a folder of that name           | the home, as for other folders            |
 * | a buildout file that is a URL   | "Missing option: buildout:directory"   | the working folder                        |
 * | the same override twice         | the greater text counts                | the last one counts                       |
 * | `optional-extends`              | looked for in the working folder, then | relative to the file, like `extends`; it  |
 * |                                 | opened relative to the file; stays an  | is never left as an option                |
 * |                                 | option where there are user defaults   |                                           |
 * | folders it needs (`eggs` …)     | are created                            | are not                                   |
 */
export function defaultOptions(target: Target): Map<string, Option> {
  const [major = '', minor = ''] = target.pythonVersion.split('.');
  const defaults: readonly (readonly [string, string])[] = [
    ['allow-hosts', '*'],
    ['allow-picked-versions', 'true'],
    ['bin-directory', 'bin'],
    ['develop-eggs-directory', 'develop-eggs'],
    ['eggs-directory', 'eggs'],
    ['eggs-directory-version', 'v5'],
    ['executable', `python${major}.${minor}`],
    ['find-links', ''],
    ['install-from-cache', 'false'],
    ['installed', '.installed.cfg'],
    ['log-format', ''],
    ['log-level', 'INFO'],
    ['newest', 'true'],
    ['offline', 'false'],
    ['parts-directory', 'parts'],
    ['prefer-final', 'true'],
    ['python', 'buildout'],
    ['show-picked-versions', 'false'],
    ['socket-timeout', ''],
    ['update-versions-file', ''],
    ['use-dependency-links', 'true'],
    ['allow-unknown-extras', 'false'],
  ];
  return new Map(defaults.map(([name, value]) => [name, setOption(value, DEFAULT)]));
}

/** The section of versions that [buildout] names, with what zc.buildout adds to it. */
export function withVersions(sections: Sections): Sections {
  const data = new Map(sections);
  let buildout = data.get('buildout') ?? new Map<string, Option>();
  if (!buildout.has('versions')) {
    buildout = new Map(buildout).set('versions', setOption('versions', DEFAULT));
    data.set('buildout', buildout);
    if (!data.has('versions')) data.set('versions', new Map());
  }
  const named = buildout.get('versions');
  if (named === undefined || named.value === '') return data;
  const versions = data.get(named.value);
  if (versions === undefined) {
    throw malformed(
      `[buildout] versions = ${named.value} (${place(lastOrigins(named)[0])}): there is no section [${named.value}]`,
      `Add [${named.value}], or take the line away.`,
    );
  }
  if (!versions.has('zc.recipe.egg')) {
    data.set(named.value, new Map(versions).set('zc.recipe.egg', setOption('>=2.0.6', DEFAULT)));
  }
  return data;
}

/** Makes the folders of [buildout] absolute, relative to the file that set them or to `directory`. */
export function withAbsoluteFolders(sections: Sections, home: string | undefined): Sections {
  const buildout = new Map(sections.get('buildout'));
  const directory = buildout.get('directory')?.value ?? '';
  for (const name of ['download-cache', 'eggs-directory', 'extends-cache']) {
    const option = buildout.get(name);
    if (option === undefined || option.value.includes('${') || isAbsolute(option.value)) continue;
    const origin = lastOrigins(option).at(-1);
    const file = origin === undefined || origin.line === null ? null : origin.file;
    if (file !== null && isUrl(file)) {
      throw malformed(
        `${place(origin)}: [buildout] ${name} = ${option.value} is relative, in a file of another machine`,
        'Write an absolute path.',
      );
    }
    const folder = file === null ? directory : baseOf(file);
    buildout.set(name, { ...option, value: resolve(joinPath(folder, expandUser(option.value, home))) });
  }
  for (const name of ['bin-directory', 'parts-directory', 'eggs-directory', 'develop-eggs-directory']) {
    const option = buildout.get(name);
    if (option !== undefined) buildout.set(name, { ...option, value: absolute(directory, option.value) });
  }
  return new Map(sections).set('buildout', buildout);
}

/** The folders once more, as substitutions may have made them relative. */
export function resolvedFolders(options: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const directory = options.get('directory') ?? '';
  const changed = new Map<string, string>();
  for (const name of ['bin-directory', 'parts-directory', 'eggs-directory', 'develop-eggs-directory']) {
    changed.set(name, absolute(directory, options.get(name) ?? ''));
  }
  const installed = options.get('installed') ?? '';
  if (installed !== '') changed.set('installed', joinPath(directory, installed));
  return changed;
}

/** Eggs of each version of their format have a folder of their own. */
export function eggsFolder(options: ReadonlyMap<string, string>): string {
  const folder = options.get('eggs-directory') ?? '';
  const version = options.get('eggs-directory-version') ?? '';
  return version === '' ? folder : joinPath(folder, version);
}

function absolute(directory: string, value: string): string {
  return value.includes('${') ? value : joinPath(directory, value);
}

const SWITCHES = [
  'offline',
  'newest',
  'prefer-final',
  'use-dependency-links',
  'allow-picked-versions',
  'show-picked-versions',
  'install-from-cache',
];

/** The options of [buildout] that must be `true` or `false`. */
export function checkSwitches(section: Section, values: ReadonlyMap<string, string>): void {
  for (const name of SWITCHES) {
    const value = values.get(name) ?? 'false';
    if (value === 'true' || value === 'false') continue;
    throw malformed(
      `[buildout] ${name} = ${value} (${place(section.get(name)?.history.at(-1)?.origins[0])}): neither true nor false`,
      'Write true or false, in small letters.',
    );
  }
}
