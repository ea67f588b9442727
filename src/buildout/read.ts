import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { HttpGet } from '../http/get.ts';
import { ReadBuildout } from './buildout.ts';
import type { Buildout } from './buildout.ts';
import { conditionFor } from './condition.ts';
import type { Marker, Target } from './condition.ts';
import { defaultOptions, withAbsoluteFolders, withVersions } from './defaults.ts';
import { loadBuildout } from './load.ts';
import type { LoadContext } from './load.ts';
import { mergeSections } from './merge.ts';
import { setOption } from './option.ts';
import type { Option, Section, Sections } from './option.ts';
import { COMMAND_LINE, COMPUTED, isUrl, shownUrl } from './origin.ts';
import { userConfig } from './paths.ts';
import { SourceReader } from './source.ts';
import { words } from './whitespace.ts';

export type { Buildout } from './buildout.ts';
export type { Marker, Target } from './condition.ts';
export type { Origin } from './origin.ts';

export interface ReadOptions {
  /** The buildout file: a path, or an http(s) URL. */
  readonly file: string;
  /** Gets what `extends` names on other machines. */
  readonly get: HttpGet;
  /** Evaluates PEP 508 markers for the target; null where the text is no marker, and buildout's own names are tried. */
  readonly marker: Marker;
  /** The Python that the conditions of sections ask about. */
  readonly target: Target;
  /** HOME and BUILDOUT_HOME say where the user's own defaults are. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether to read `default.cfg` of the user. @default true */
  readonly userDefaults?: boolean;
  /** Fetch nothing; files of other machines come out of `extends-cache`. Without it the file decides. */
  readonly offline?: boolean;
  /** What the command line sets, over all files; an option may end with `+` or `-`. */
  readonly overrides?: readonly (readonly [section: string, option: string, value: string])[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a buildout file and all it extends, exactly as zc.buildout 6.0.1 does. The places where this differs on purpose
 * are listed at `parseBuildout` and `defaultOptions`.
 */
export async function readBuildout(options: ReadOptions): Promise<Buildout> {
  const { file, env, target } = options;
  const location = isUrl(file) ? file : resolve(file);
  const folder = isUrl(file) ? resolve('.') : dirname(location);
  const overrides = overridesOf(options);
  const context: LoadContext = {
    reader: new SourceReader(options.get, options.signal),
    condition: conditionFor(target, options.marker),
    override: overrides.get('buildout') ?? new Map<string, Option>(),
    home: env['HOME'],
    folder,
  };

  const defaults = defaultOptions(target).set('directory', setOption(folder, COMPUTED));
  let data: Sections = new Map([['buildout', defaults]]);
  const user = await userDefaultsOf(options, defaults, context);
  const fetching = mergeSections(data, user).get('buildout') ?? defaults;
  data = mergeSections(data, await loadBuildout(location, fetching, user, context));
  for (const name of words(overrides.get('buildout')?.get('extends')?.value ?? '')) {
    data = mergeSections(data, await loadBuildout(isUrl(name) ? name : resolve(name), fetching, user, context));
  }
  data = mergeSections(data, withoutExtends(overrides));
  data = withAbsoluteFolders(withVersions(data), env['HOME']);
  return new ReadBuildout(isUrl(file) ? shownUrl(file) : location, folder, data);
}

async function userDefaultsOf(options: ReadOptions, defaults: Section, context: LoadContext): Promise<Sections> {
  const file = options.userDefaults === false ? null : userConfig(options.env);
  const there =
    file !== null &&
    (await access(file).then(
      () => true,
      () => false,
    ));
  return there ? loadBuildout(file, defaults, new Map(), context) : new Map();
}

/** What the command line says, as sections of their own. */
function overridesOf(options: ReadOptions): Map<string, Map<string, Option>> {
  const sections = new Map<string, Map<string, Option>>();
  const set = (section: string, option: string, value: string): void => {
    const name = option.replace(/\s*([-+])$/, ' $1');
    sections.set(
      section,
      (sections.get(section) ?? new Map<string, Option>()).set(name, setOption(value, COMMAND_LINE)),
    );
  };
  // zc.buildout sorts them, which is seen in the order of new sections and options.
  const given = [...(options.overrides ?? [])].sort(
    (left, right) => compare(left[0], right[0]) || compare(left[1], right[1]),
  );
  for (const [section, option, value] of given) set(section, option, value);
  if (options.offline === true) set('buildout', 'offline', 'true');
  return sections;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function withoutExtends(overrides: Sections): Sections {
  const buildout = new Map(overrides.get('buildout'));
  buildout.delete('extends');
  return new Map(overrides).set('buildout', buildout);
}
