import { formatPatch, structuredPatch } from 'diff';
import type { InstancePlan } from '../plone/plan.ts';

/**
 * A unified diff of everything that a plan writes, as `patch -p1` reads it. What follows a password's name is masked on
 * unchanged and changed lines alike: a diff ends up in a build's log.
 */
export function planDiff({ files, removed }: InstancePlan, read: (path: string) => string): string {
  const changed = files.flatMap(({ path, before, text }) =>
    text === null || text === before ? [] : [{ path, before, after: text }],
  );
  const gone = removed.map((path) => ({ path, before: read(path), after: null }));
  return [...changed, ...gone]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, before, after }) =>
      formatPatch(
        structuredPatch(
          before === null ? '/dev/null' : `a/${path}`,
          after === null ? '/dev/null' : `b/${path}`,
          masked(before ?? ''),
          masked(after ?? ''),
          undefined,
          undefined,
          { context: 3 },
        ),
        { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
      ),
    )
    .join('');
}

function masked(text: string): string {
  return text.replace(
    /\b((?:[\w-]*_)?(?:password|passwd|secret|token)(?:\s*=\s*|[ \t]+))(?:'[^'\n]*'|"[^"\n]*"|[^\s'"]+)/gi,
    '$1***',
  );
}
