import { posix } from 'node:path';
import { isLeftover, mapPath } from './mapping.ts';
import { XML_SYNTAX, rewritePathText } from './path-text.ts';
import { linesWithEnds } from './report.ts';
import type { Change, Leftover, Need, NeedRole, RewriteOptions, Rewritten } from './rewritten.ts';

/** Attributes of directives that name files; whatever else begins with a slash may be a place of a URL. */
const FILES: Readonly<Record<string, NeedRole>> = {
  file: 'zcml',
  files: 'zcml',
  directory: 'tree',
  path: 'other',
  template: 'other',
  filename: 'other',
};

const COMMENT_OR_ATTRIBUTE = /<!--[\s\S]*?-->|([\w:.-]+)(\s*=\s*)("[^"]*"|'[^']*')/g;

/** Rewrites a ZCML file, such as site.zcml, for a container: attributes that hold paths which a mapping covers. */
export function rewriteZcml(text: string, { mappings, file }: RewriteOptions): Rewritten {
  const [leftovers, needs]: [Leftover[], Need[]] = [[], []];
  const after = text.replace(
    COMMENT_OR_ATTRIBUTE,
    (matched, name: string | undefined, equals: string, quoted: string, offset: number) => {
      if (name === undefined) return matched;
      const [quote, value] = [quoted.charAt(0), quoted.slice(1, -1)];
      const role = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
      const whole = value.startsWith('/');
      const found = rewritePathText(value, { mappings, syntax: XML_SYNTAX, whole });
      const line = text.slice(0, offset).split('\n').length;
      for (const { source, target } of found.paths)
        if (target !== null) needs.push({ role: role ?? 'other', path: source, target, line });
        else if (role !== undefined && isLeftover(source, mappings)) leftovers.push({ file, line, path: source });
      // Beside this file, if no package is named: it is there wherever this file is.
      if (role === 'zcml' && !whole && includesFiles(text, offset)) {
        const path = posix.join(posix.dirname(file), value);
        const target = mapPath(path, mappings);
        if (target !== null) needs.push({ role, path, target, line });
      }
      return `${name}${equals}${quote}${found.text}${quote}`;
    },
  );
  return { text: after, changes: changesOf(file, text, after), warnings: [], leftovers, needs };
}

/** `<include file="…"/>` and its like, of no package; other directives look for their files elsewhere. */
function includesFiles(text: string, offset: number): boolean {
  const tag = text.slice(text.lastIndexOf('<', offset), text.indexOf('>', offset));
  return /^<(?:\w+:)?(?:include|includeOverrides|exclude)\s/.test(tag) && !/\spackage\s*=/.test(tag);
}

/** Paths hold no line feeds, so lines stay where they are. */
function changesOf(file: string, before: string, after: string): readonly Change[] {
  const now = [...linesWithEnds(after)];
  return [...linesWithEnds(before)].flatMap(({ number, text }, index) => {
    const changed = now[index]?.text ?? '';
    return changed === text ? [] : [{ file, line: number, before: text, after: changed }];
  });
}
