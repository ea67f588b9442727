import { posix } from 'node:path';
import { type Mapping, mapPath } from './mapping.ts';

/** How a kind of file writes a path: ZConfig doubles `$`, configparser `%`, XML has entities. */
export interface PathSyntax {
  readonly escape: (path: string) => string;
  readonly unescape: (text: string) => string;
}

export const PLAIN_SYNTAX: PathSyntax = { escape: (path) => path, unescape: (text) => text };

/** https://zconfig.readthedocs.io, "Replacement": `$$` is a dollar. */
export const ZCONFIG_SYNTAX: PathSyntax = {
  escape: (path) => path.replaceAll('$', '$$$$'),
  unescape: (text) => text.replaceAll('$$', '$'),
};

/** Python's configparser, BasicInterpolation: `%%` is a per cent sign. */
export const INI_SYNTAX: PathSyntax = {
  escape: (path) => path.replaceAll('%', '%%'),
  unescape: (text) => text.replaceAll('%%', '%'),
};

export const XML_SYNTAX: PathSyntax = {
  escape: (path) => path.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
  unescape: (text) => text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&'),
};

export interface FoundPath {
  /** As the file has it, unescaped, `..` resolved. */
  readonly source: string;
  /** Where a container has it; null where no mapping covers it. */
  readonly target: string | null;
}

export interface PathTextOptions {
  /** Longest first. */
  readonly mappings: readonly Mapping[];
  readonly syntax: PathSyntax;
  /** The text is one path, which may hold blanks and colons, or none. */
  readonly whole?: boolean;
}

/** Between words that may be paths. */
const DELIMITER = /[\s'"`,;:()<>|]/;
/** Not what ends `$(NAME)`: the rest is below whatever it names. */
const BEFORE_PATH = /[\s'"`,;:(<>|=[{!@]/;

/** Replaces every absolute path of a text that a mapping covers, on boundaries, and says which paths there are. */
export function rewritePathText(
  text: string,
  options: PathTextOptions,
): { readonly text: string; readonly paths: readonly FoundPath[] } {
  const { mappings, syntax, whole = false } = options;
  const paths: FoundPath[] = [];
  let [written, index] = ['', 0];
  while (index < text.length) {
    const start = pathStart(text, index);
    if (start.end > index) {
      written += text.slice(index, start.end);
      index = start.end;
    }
    if (!start.path || index >= text.length) continue;
    const end = whole ? text.length : pathEnd(text, index, options);
    const token = text.slice(index, end);
    const source = resolved(syntax.unescape(token));
    const target = mapPath(source, mappings);
    paths.push({ source, target });
    written += target === null ? token : syntax.escape(target);
    index = end;
  }
  return { text: written, paths };
}

/** How far the text is to be copied, and whether a path begins there. */
function pathStart(text: string, index: number): { readonly end: number; readonly path: boolean } {
  for (let at = index; at < text.length; at++) {
    if (text[at] !== '/') continue;
    const before = text[at - 1];
    if (before !== undefined && !BEFORE_PATH.test(before)) continue;
    if (before !== ':' || text[at + 1] !== '/') return { end: at, path: true };
    // A URL. What has a host is no file of this machine; `file:///a` and `sqlite:////a` have none.
    const slashes = /^\/+(?:(?<=^\/\/)localhost(?=\/))?/.exec(text.slice(at))?.[0] ?? '';
    if (slashes.endsWith('localhost')) return { end: at + slashes.length, path: true };
    if (slashes.length > 2) return { end: at + slashes.length - 1, path: true };
    const rest = /^[^\s'"`,;<>]*/.exec(text.slice(at))?.[0] ?? '';
    return { end: at + rest.length, path: false };
  }
  return { end: text.length, path: false };
}

function pathEnd(text: string, start: number, { mappings, syntax }: PathTextOptions): number {
  // A mapped folder may have a name with a blank in it.
  const known = mappings.map(({ from }) => syntax.escape(from)).find((from) => startsWithFolder(text, from, start));
  let end = start + (known?.length ?? 1);
  while (end < text.length && !DELIMITER.test(text.charAt(end))) end++;
  return end;
}

function startsWithFolder(text: string, folder: string, start: number): boolean {
  if (!text.startsWith(folder, start)) return false;
  const next = text[start + folder.length];
  return next === undefined || next === '/' || DELIMITER.test(next);
}

/** Without `..`, whose meaning would change with its folder. */
function resolved(path: string): string {
  return /\/\.\.(\/|$)/.test(path) ? posix.normalize(path) : path;
}
