import { readTomlProject } from './toml-project.ts';
import { lines } from './words.ts';

/** What a source folder says of its distribution. */
export interface SourceMetadata {
  readonly name: string;
  /** Null where only a build would tell. */
  readonly version: string | null;
  readonly requires: readonly string[];
  readonly extras: ReadonlyMap<string, readonly string[]>;
}

/** The files of a source folder that may say it, as texts; null for one that is not there. */
export interface SourceFiles {
  readonly pyproject: string | null;
  readonly setupCfg: string | null;
  readonly setupPy: string | null;
}

/**
 * What a source requires, as far as it is written down: `[project]` of pyproject.toml, `[options]` of setup.cfg, lists of
 * plain texts in setup.py. No code of the source is run. Null where none of them says it.
 */
export function readSourceMetadata({ pyproject, setupCfg, setupPy }: SourceFiles): SourceMetadata | null {
  const project = pyproject === null ? null : readTomlProject(pyproject);
  if (project !== null) return { ...project, requires: project.dependencies };
  return ofSetupCfg(setupCfg) ?? ofSetupPy(setupPy, setupCfg);
}

function ofSetupCfg(text: string | null): SourceMetadata | null {
  const sections = text === null ? new Map<string, ReadonlyMap<string, string>>() : readCfg(text);
  const name = sections.get('metadata')?.get('name');
  const requires = sections.get('options')?.get('install_requires');
  if (name === undefined || requires === undefined) return null;
  const version = sections.get('metadata')?.get('version') ?? '';
  const extras = [...(sections.get('options.extras_require') ?? [])];
  return {
    name,
    version: /^\d/.test(version) ? version : null,
    requires: lines(requires),
    extras: new Map(extras.map(([extra, value]) => [extra, lines(value)])),
  };
}

/** As Python's configparser, in small: a key, and the lines that are indented below it. */
function readCfg(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let open = '';
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    const [, key, value = ''] = /^([A-Za-z][\w.-]*)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (header !== undefined) {
      section = new Map();
      sections.set(header, section);
      open = '';
    } else if (key !== undefined) {
      open = key.replaceAll('-', '_');
      section.set(open, value);
    } else if (open !== '') {
      section.set(open, `${section.get(open) ?? ''}\n${line.trim()}`);
    }
  }
  return sections;
}

function ofSetupPy(text: string | null, setupCfg: string | null): SourceMetadata | null {
  if (text === null) return null;
  const name =
    literal(text, 'name') ?? (setupCfg === null ? undefined : readCfg(setupCfg).get('metadata')?.get('name'));
  if (name === undefined) return null;
  const requires = list(text, 'install_requires');
  const extras = dictionary(text, 'extras_require');
  if (requires === null || extras === null) return null;
  return { name, version: literal(text, 'version') ?? null, requires, extras };
}

const LITERAL = /^[rbu]?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')/;

function literal(text: string, argument: string): string | undefined {
  const at = argumentAt(text, argument);
  if (at === null) return undefined;
  const found = LITERAL.exec(text.slice(at));
  // What follows must end the argument: "1." + minor is no literal.
  const after = found === null ? '' : text.slice(at + found[0].length).trimStart();
  return found !== null && /^[,)#\n]|^$/.test(after) ? found[1]?.slice(1, -1) : undefined;
}

/** A list or tuple of plain texts, or one text of lines; empty without the argument, null for anything else. */
function list(text: string, argument: string): readonly string[] | null {
  const at = argumentAt(text, argument);
  if (at === null) return [];
  return readList(text.slice(at))?.items ?? null;
}

interface Read<T> {
  readonly items: T;
  readonly rest: string;
}

function readList(text: string): Read<readonly string[]> | null {
  if (!/^[[(]/.test(text)) return null;
  const items: string[] = [];
  let rest = skip(text.slice(1));
  while (!/^[\])]/.test(rest)) {
    const found = LITERAL.exec(rest);
    if (found === null) return null;
    items.push((found[1] ?? '').slice(1, -1));
    rest = skip(rest.slice(found[0].length));
    if (rest.startsWith(',')) rest = skip(rest.slice(1));
    // Two texts in a row are one in Python, and a mistake in a list.
    else if (!/^[\])]/.test(rest)) return null;
  }
  return { items, rest: rest.slice(1) };
}

function dictionary(text: string, argument: string): ReadonlyMap<string, readonly string[]> | null {
  const at = argumentAt(text, argument);
  const extras = new Map<string, readonly string[]>();
  if (at === null) return extras;
  if (!text.slice(at).startsWith('{')) return null;
  let rest = skip(text.slice(at + 1));
  while (!rest.startsWith('}')) {
    const key = LITERAL.exec(rest);
    const colon = key === null ? '' : skip(rest.slice(key[0].length));
    const value = colon.startsWith(':') ? readList(skip(colon.slice(1))) : null;
    if (key === null || value === null) return null;
    extras.set((key[1] ?? '').slice(1, -1), value.items);
    rest = skip(value.rest);
    if (rest.startsWith(',')) rest = skip(rest.slice(1));
  }
  return extras;
}

/** Where the value of a keyword argument begins; null where the text does not have it. */
function argumentAt(text: string, argument: string): number | null {
  const found = new RegExp(String.raw`(?<![\w.])${argument}\s*=(?!=)\s*`).exec(text);
  return found === null ? null : found.index + found[0].length;
}

function skip(text: string): string {
  return text.replace(/^(?:\s|#[^\n]*)+/, '');
}
