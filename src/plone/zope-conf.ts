import { isLoopback, onEveryInterface } from './address.ts';
import { isWithin } from './mapping.ts';
import { type FoundPath, PLAIN_SYNTAX, ZCONFIG_SYNTAX, rewritePathText } from './path-text.ts';
import { Report } from './report.ts';
import type { NeedRole, RewriteOptions, Rewritten } from './rewritten.ts';
import { type Defines, type ZConfigLine, readZConfig, substituted } from './zconfig.ts';

export interface ZopeConfOptions extends RewriteOptions {
  /** Folders of eggs, before: `path` lines below them are dropped, since the image has packages of its own. */
  readonly eggs: readonly string[];
  /** Of an included file: the sections it stands in, and what was defined before it. */
  readonly within?: readonly string[];
  readonly defines?: Defines;
}

/** A file that `%include` names. */
export interface Included {
  /** As written, names replaced: absolute, relative to the file, or a URL. */
  readonly target: string;
  readonly line: number;
  readonly within: readonly string[];
  readonly defines: Defines;
}

export interface RewrittenZopeConf extends Rewritten {
  readonly includes: readonly Included[];
  /** Before, by lower-case name. */
  readonly defines: Defines;
}

/** Values that begin with a slash and are no paths of files: places in the object database, URLs, formats. */
const NO_FILES: ReadonlySet<string> = new Set([
  'mount-point',
  'container-class',
  'method',
  'format',
  'dateformat',
  'password',
]);

/** ZConfig's logger component: none of these may stand beside STDOUT. */
const FILE_ONLY: ReadonlySet<string> = new Set(['max-size', 'old-files', 'when', 'interval', 'delay', 'encoding']);

/** Of keys that stand anywhere. Those of Zope's schemas, of ZODB, ZEO, RelStorage and zdaemon's runner. */
const ROLES: Readonly<Record<string, NeedRole>> = {
  instancehome: 'folder',
  clienthome: 'folder',
  products: 'tree',
  'pid-filename': 'parent',
  'lock-filename': 'parent',
  'blob-dir': 'private',
  'blob-cache-dir': 'private',
  'cache-local-dir': 'folder',
  'data-dir': 'folder',
  var: 'folder',
  directory: 'folder',
  'socket-name': 'parent',
  server: 'parent',
  transcript: 'parent',
  logfile: 'parent',
  chameleon_cache: 'folder',
};

/**
 * Rewrites zope.conf for a container: every path that a mapping covers, on boundaries, in every value and directive.
 * Drops `effective-user` and the paths of eggs, and listens on every interface. Comments stay as they are.
 *
 * @throws OciPloneError INPUT_MALFORMED for what ZConfig would not read
 */
export function rewriteZopeConf(text: string, options: ZopeConfOptions): RewrittenZopeConf {
  const { file, within = [] } = options;
  const report = new Report(options);
  const defines = new Map(options.defines);
  const includes: Included[] = [];
  const open = [...within];
  for (const line of readZConfig(text, { file, within })) {
    trackSections(open, line);
    if (line.kind === 'blank' || line.kind === 'section' || line.value === '') {
      report.line(line.number, line.text, line.text, line.end);
      continue;
    }
    const value = rewriteValue(line, options, report, defines);
    const after =
      value === null
        ? null
        : line.text.slice(0, line.column) + value + line.text.slice(line.column + line.value.length);
    report.line(line.number, line.text, after, line.end);
    if (line.kind !== 'directive') continue;
    if (line.key === 'define') define(defines, line.value);
    const target = line.key === 'include' ? substituted(line.value, defines) : null;
    if (target !== null) includes.push({ target, line: line.number, within: [...open], defines: new Map(defines) });
  }
  return { ...report.done(), includes, defines };
}

function trackSections(open: string[], { kind, text }: ZConfigLine): void {
  const stripped = text.trim();
  if (kind !== 'section' || stripped.endsWith('/>')) return;
  if (stripped.startsWith('</')) open.pop();
  else open.push(/^<\s*([^\s>]+)/.exec(stripped)?.[1]?.toLowerCase() ?? '');
}

function define(defines: Map<string, string>, argument: string): void {
  const [, name = '', value = ''] = /^(\S+)\s*(.*)$/.exec(argument) ?? [];
  const replaced = substituted(value, defines);
  if (replaced !== null) defines.set(name.toLowerCase(), replaced);
}

/** The value of a line, rewritten; null drops the line. */
function rewriteValue(line: ZConfigLine, options: ZopeConfOptions, report: Report, defines: Defines): string | null {
  const { section, key, value, number, kind } = line;
  if (kind === 'directive' && key === 'import') return value;
  if (kind === 'pair') {
    if (section === '' && key === 'effective-user') return null;
    if (section === '' && key === 'path' && isEgg(substituted(value, defines) ?? value, options)) return null;
    if (section === 'logfile' && options.logs === 'stdout') {
      if (FILE_ONLY.has(key)) return null;
      if (key === 'path') return value === 'STDERR' ? value : 'STDOUT';
    }
    const everywhere = listens(section, key) ? onEveryInterface(value) : null;
    if (everywhere !== null) {
      report.warn(number, `${key} ${value} is a container's own loopback: made ${everywhere}`);
      return everywhere;
    }
    if (section === 'zeoclient' && key === 'server' && isLoopback(value))
      report.warn(number, `server ${value} is, in a container, that container itself: name the ZEO server's host`);
    if (NO_FILES.has(key)) return value;
  }
  const role = roleOf(line);
  const name = kind === 'directive' && key === 'define' ? (/^\S+\s*/.exec(value)?.[0] ?? '') : '';
  const whole = role !== 'other' || name !== '';
  const { mappings } = options;
  const found = rewritePathText(value.slice(name.length), { mappings, syntax: ZCONFIG_SYNTAX, whole });
  report.paths(number, found.paths);
  // A definition says nothing of what it is used for.
  if (name === '' && role !== 'config') report.needs(number, role, expanded(line, whole, options, defines));
  return name + found.text;
}

/** The paths of a value with its names replaced. */
function expanded(
  { value }: ZConfigLine,
  whole: boolean,
  options: RewriteOptions,
  defines: Defines,
): readonly FoundPath[] {
  const text = substituted(value, defines);
  if (text === null) return [];
  return rewritePathText(text, { mappings: options.mappings, syntax: PLAIN_SYNTAX, whole }).paths;
}

function roleOf({ section, key, kind }: ZConfigLine): NeedRole {
  if (kind === 'directive') return key === 'include' ? 'config' : 'other';
  if (key === 'path') return section === '' ? 'tree' : 'parent';
  return (Object.hasOwn(ROLES, key) ? ROLES[key] : undefined) ?? 'other';
}

function listens(section: string, key: string): boolean {
  return section === '' ? key === 'ip-address' : key === 'address' && section.endsWith('-server');
}

/** Below a folder of eggs, or an egg of its own, as those of a shared cache are. */
function isEgg(path: string, { eggs }: ZopeConfOptions): boolean {
  return eggs.some((folder) => isWithin(path, folder)) || /\.egg(\/|$)/.test(path);
}
