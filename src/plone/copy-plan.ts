import { posix } from 'node:path';
import type { FolderNames, InstanceSource } from './instance-source.ts';
import { isLeftover, isWithin, mapPath } from './mapping.ts';
import type { PlanDraft } from './plan.ts';

/** Of no use to a running Zope. */
const NOT_COPIED = /^(\.git|\.svn|\.hg|CVS|__pycache__)$|\.py[co]$/;

export interface CopyContext {
  readonly source: InstanceSource;
  readonly names: FolderNames;
  readonly draft: PlanDraft;
  /** `parts/instance`, which is never copied as part of something else. */
  readonly home: string;
}

/** Where a path was named. */
export interface NamedAt {
  readonly file: string;
  readonly line: number | null;
}

/** Plans the copy of a file, of a link, or of a folder with all it holds. */
export function planCopy(path: string, at: NamedAt, context: CopyContext): void {
  const { source, draft, home } = context;
  if (draft.has(path)) return;
  switch (source.kind(path)) {
    case 'file':
      draft.file({ path, text: null, before: null });
      return;
    case 'link':
      planLink(path, context);
      return;
    case 'folder':
      if (path === '' || isWithin(home, path))
        draft.warnOfCopy(at.file, at.line, 'the whole folder is named, and not copied');
      else planTree(path, context);
      return;
    case null:
      draft.warn(at.file, at.line, `${path} is not there`);
  }
}

function planTree(path: string, context: CopyContext): void {
  context.draft.folder(path);
  for (const name of context.source.list(path))
    if (!NOT_COPIED.test(name)) planCopy(posix.join(path, name), { file: path, line: null }, context);
}

/** A link, and what it leads to: `products/Example` may be a link into `src`. */
export function planLink(path: string, context: CopyContext): void {
  const { source, names, draft } = context;
  const target = source.target(path);
  const absolute = target.startsWith('/');
  draft.link(path, (absolute ? mapPath(target, names.mappings) : null) ?? target);
  const local = absolute ? names.local(target) : posix.join(posix.dirname(path), target);
  if (local === null || local.startsWith('..')) {
    if (!absolute || isLeftover(target, names.mappings)) draft.leftover(path, target);
  } else planCopy(local === '.' ? '' : local, { file: path, line: null }, context);
}
