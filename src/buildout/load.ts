import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { malformed } from './failure.ts';
import { mergeSection, mergeSections } from './merge.ts';
import type { Option, Section, Sections } from './option.ts';
import { lastOrigins } from './option.ts';
import { isUrl, place } from './origin.ts';
import { parseBuildout } from './parse.ts';
import type { Condition } from './parse.ts';
import { baseOf, expandUser, locate } from './paths.ts';
import type { FetchPolicy, Source, SourceReader } from './source.ts';
import { words } from './whitespace.ts';

/** What stays the same while the files of one buildout are loaded. */
export interface LoadContext {
  readonly reader: SourceReader;
  readonly condition: Condition;
  /** What the command line says about [buildout]. */
  readonly override: Section;
  readonly home: string | undefined;
  /** What a relative `directory` is relative to. */
  readonly folder: string;
}

/** A diamond is applied as often as it is reached, so files that extend each other twice grow without end. */
const MOST_FILES = 2000;

/**
 * Loads a file and all that it extends (`_open`): depth first, left to right, each file over those it extends. The user's
 * own defaults lie under the first file that extends nothing.
 */
export async function loadBuildout(
  location: string,
  options: Section,
  userDefaults: Sections,
  context: LoadContext,
): Promise<Sections> {
  const loading = new Loading(userDefaults, context);
  const files = await loading.open(location, options, '');
  let merged: Sections = new Map();
  for (const file of files) merged = mergeSections(merged, file);
  return merged;
}

class Loading {
  readonly #context: LoadContext;
  #userDefaults: Sections;
  /** The files that are being read, the outermost first. */
  readonly #stack: Source[] = [];
  #opened = 0;

  constructor(userDefaults: Sections, context: LoadContext) {
    this.#userDefaults = userDefaults;
    this.#context = context;
  }

  async open(location: string, outer: Section, wanted: string): Promise<readonly Sections[]> {
    const { reader, condition, override } = this.#context;
    let options = mergeSection(outer, override);
    const source = await reader.read(location, this.#policy(options), wanted);
    this.#enter(source, wanted);
    const parsed = new Map(parseBuildout(source.text, source.shown, condition));
    const { kept, extended, optional } = extensions(parsed.get('buildout'), source.shown);
    if (kept !== null) parsed.set('buildout', kept);
    if (this.#stack.length === 1 && kept !== null) options = mergeSection(options, kept);

    let own: Sections = parsed;
    const files: Sections[] = [];
    if (extended.length === 0 && this.#userDefaults.size > 0) {
      own = mergeSections(this.#userDefaults, own);
      this.#userDefaults = new Map();
    }
    const base = baseOf(location);
    for (const { name, by } of extended) files.push(...(await this.open(locate(base, name), options, by)));
    for (const { name, by } of optional) files.push(...(await this.#openIfThere(locate(base, name), options, by)));
    this.#stack.pop();
    return [...files, own];
  }

  async #openIfThere(location: string, options: Section, wanted: string): Promise<readonly Sections[]> {
    const there = !isUrl(location) && (await isThere(location));
    return there ? this.open(location, options, wanted) : [];
  }

  #enter(source: Source, wanted: string): void {
    if (this.#stack.some(({ identity }) => identity === source.identity)) {
      const chain = [...this.#stack, source].map(({ shown }) => shown).join(' → ');
      throw malformed(`${source.shown} extends itself: ${chain}${wanted}`, 'Take one of these extends away.');
    }
    this.#opened += 1;
    if (this.#opened > MOST_FILES) throw malformed(`extends leads to more than ${String(MOST_FILES)} files${wanted}`);
    this.#stack.push(source);
  }

  #policy(options: Section): FetchPolicy {
    const value = (name: string): string => options.get(name)?.value ?? '';
    const newest = value('newest');
    if (newest !== 'true' && newest !== 'false' && newest !== '') {
      throw malformed(`[buildout] newest = ${newest} (${placeOf(options.get('newest'))}): neither true nor false`);
    }
    const cache = value('extends-cache');
    if (/[$]{[^}]*}/.test(cache)) {
      throw malformed(
        `[buildout] extends-cache = ${cache} (${placeOf(options.get('extends-cache'))}): a substitution is not possible here`,
        'It is used before there is anything to substitute: write the path out.',
      );
    }
    return {
      cache:
        cache === '' ? null : resolve(this.#context.folder, value('directory'), expandUser(cache, this.#context.home)),
      offline: value('offline') === 'true' || value('install-from-cache') === 'true',
      newest: newest === 'true',
    };
  }
}

interface Extension {
  readonly name: string;
  /** Who asks for it, for messages. */
  readonly by: string;
}

/** Takes `extends` and `optional-extends` out of a file's [buildout]. */
function extensions(
  section: Section | undefined,
  file: string,
): { readonly kept: Section | null; readonly extended: readonly Extension[]; readonly optional: readonly Extension[] } {
  if (section === undefined) return { kept: null, extended: [], optional: [] };
  if (section.has('extended-by')) {
    throw malformed(
      `${placeOf(section.get('extended-by'))}: [buildout] extended-by is no longer supported`,
      `Use extends in the other file instead of extended-by in ${file}.`,
    );
  }
  const kept = new Map(section);
  const named = (option: string): readonly Extension[] => {
    const found = section.get(option);
    kept.delete(option);
    const by = `, which ${placeOf(found)} extends`;
    return words(found?.value ?? '').map((name) => ({ name, by }));
  };
  return { kept, extended: named('extends'), optional: named('optional-extends') };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function placeOf(option: Option | undefined): string {
  return option === undefined ? '' : place(lastOrigins(option)[0]);
}
