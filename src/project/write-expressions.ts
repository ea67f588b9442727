import { basename, dirname, join, resolve } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { shellExpression, writeExpressions as expressionTexts } from '../nix/expressions/write.ts';
import { formatLock } from '../python/lock.ts';
import type { Change } from '../python/locked-set.ts';
import type { Missing } from '../python/working-set.ts';
import { expressionSet } from './expression-set.ts';
import type { ExpressionOptions } from './options.ts';
import { prepare } from './prepare.ts';
import { withProject } from './project.ts';
import { differingFiles, writeFiles } from './write-files.ts';

/** What was written; the JSON document of `oci-plone nix --json` is this object. */
export interface ExpressionResult {
  /** The section that the expressions are of. */
  readonly part: string;
  /** The target's Python, in full. */
  readonly python: string;
  /** Full paths of the expressions. */
  readonly files: readonly string[];
  readonly lock: string;
  /** How many distributions the working set has. */
  readonly distributions: number;
  /** Versions that are not those of the lock before. */
  readonly changes: readonly Change[];
  /** What no index has, where that is allowed. */
  readonly missing: readonly Missing[];
}

/**
 * Writes the Nix expressions of a buildout's part, and the lock beside the buildout; with a lock that is current, nothing is
 * resolved and no index asked. With `check` nothing is written.
 *
 * @throws OciPloneError; nothing half-written stays
 */
export async function writeExpressions(options: ExpressionOptions): Promise<ExpressionResult> {
  const env = options.env ?? process.env;
  const { check = false, shell = false, force = false } = options;
  if (check && options.upgrade !== undefined)
    throw new OciPloneError('USAGE', 'check writes nothing, and so upgrades nothing');
  const choices = check ? { ...options, frozen: true } : options;
  return withProject({ ...options, env }, async (project) => {
    const { part, locked, lockFile, roots } = await prepare(project, choices);
    const folder = folderFor(options, project.buildout.directory, part.prefix, project.file);
    const set = expressionSet({ project, part, set: locked.set, roots, nixpkgs: options.nixpkgs, folder });
    const texts = [...expressionTexts(set), ...(shell ? [shellExpression(set)] : [])];
    const files = texts.map(({ name, text }) => ({ path: join(folder, name), text, replace: force }));
    const lock = { path: lockFile, text: formatLock(locked.lock), replace: true };
    if (check) await assertSame(files, lockFile);
    else await writeFiles(locked.isNew ? [...files, lock] : files);
    return {
      part: part.section,
      python: project.target.pythonVersion,
      files: files.map(({ path }) => path),
      lock: lockFile,
      distributions: locked.set.distributions.length,
      changes: locked.changes,
      missing: locked.set.missing,
    };
  });
}

/** `-o`, else the part's `prefix`, else the folder of the buildout file. */
function folderFor({ output }: ExpressionOptions, directory: string, prefix: string | null, file: string): string {
  if (output !== undefined) return resolve(output);
  return prefix === null ? dirname(file) : resolve(directory, prefix);
}

async function assertSame(files: Parameters<typeof differingFiles>[0], lockFile: string): Promise<void> {
  const differing = await differingFiles(files);
  if (differing.length === 0) return;
  const names = differing.map((path) => basename(path)).join(', ');
  throw new OciPloneError('INPUT_REFUSED', `not what ${basename(lockFile)} and the buildout say: ${names}`, {
    hint: 'Run the same command without --check, and keep what it writes.',
  });
}
