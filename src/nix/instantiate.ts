import { readlink, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { localError, OciPloneError, systemCode } from '../errors.ts';
import { nixFailed } from './failure.ts';
import { runStep } from './runner.ts';
import type { Session, Step } from './runner.ts';
import { readIncludes, readNixPath } from './search-path.ts';
import { isStorePath } from './store.ts';

/** A Nix expression, and how to call it: the flags of nix-build of the same names. */
export interface Expression {
  readonly file: string;
  /** -A */
  readonly attribute?: string;
  /** --arg */
  readonly args: readonly (readonly [name: string, expression: string])[];
  /** --argstr */
  readonly argstrs: readonly (readonly [name: string, value: string])[];
  /** -I */
  readonly include: readonly string[];
}

/** One output of a derivation, `out` unless the expression chose another. */
export interface Derivation {
  readonly path: string;
  readonly output: string;
}

/**
 * Evaluates an expression to its one derivation. Throws INPUT_ABSENT, INPUT_REFUSED, NIX_FAILED with Nix's message, USAGE
 * where there are several derivations and no attribute, and INPUT_MALFORMED where there is none.
 */
export async function instantiate(session: Session, expression: Expression): Promise<Derivation> {
  const step = await evaluation(session, expression);
  const derivations = await derivationsOf(session, step);
  const [first, ...others] = derivations;
  if (first === undefined) {
    throw new OciPloneError('INPUT_MALFORMED', `${expression.file} has no derivation`, {
      hint: 'Name the attribute that has one with -A.',
    });
  }
  if (others.length === 0) return first;
  const prefix = expression.attribute === undefined ? '' : `${expression.attribute}.`;
  const attributes = await attributeNames(session, step);
  const names = attributes?.map((name) => prefix + name) ?? derivations.map(({ path }) => nameOf(path));
  throw new OciPloneError('USAGE', `${expression.file} has several outputs: ${names.join(', ')}`, {
    hint: `Choose one with -A, for example -A ${names[0]}.`,
  });
}

/**
 * Evaluates attributes of an expression, one derivation each, in one go. Throws as `instantiate` does, and INPUT_MALFORMED
 * where an attribute is not one derivation.
 */
export async function instantiateEach(
  session: Session,
  expression: Expression,
  attributes: readonly string[],
): Promise<readonly Derivation[]> {
  const step = await evaluation(session, expression);
  const args = [...step.args, ...attributes.flatMap((attribute) => ['-A', attribute])];
  const derivations = await derivationsOf(session, { ...step, args });
  if (derivations.length === attributes.length) return derivations;
  throw new OciPloneError(
    'INPUT_MALFORMED',
    `${expression.file} has ${derivations.length} derivations for ${attributes.join(', ')}`,
  );
}

async function derivationsOf(session: Session, step: Step): Promise<readonly Derivation[]> {
  const roots = join(session.workspace.roots, 'derivation');
  const ended = await runStep(session, { ...step, args: [...step.args, '--add-root', roots, '--indirect'] });
  if (ended.code !== 0) throw await nixFailed(session, ended, step.shown ?? []);
  const lines = ended.stdout.split('\n').filter((line) => line !== '');
  return Promise.all(lines.map((line) => derivationOf(line)));
}

async function evaluation(session: Session, expression: Expression): Promise<Step & { readonly folder: string }> {
  const given = resolve(expression.file);
  const file = await expressionFile(given);
  const folder = dirname(file);
  const own = session.judge.show(folder);
  const includes = readIncludes(expression.include, session.judge);
  const nixPath = readNixPath(session.env, session.judge);
  const shown = [own, ...[...includes, ...nixPath].flatMap((entry) => entry.shown ?? [])];
  return {
    kind: 'evaluation',
    holding: 'view',
    program: 'instantiate',
    shown,
    folder,
    nixPath: nixPath.map(({ text }) => text),
    args: [
      file,
      ...(expression.attribute === undefined ? [] : ['-A', expression.attribute]),
      ...expression.args.flatMap(([name, value]) => ['--arg', name, value]),
      ...expression.argstrs.flatMap(([name, value]) => ['--argstr', name, value]),
      ...includes.flatMap(({ text }) => ['-I', text]),
    ],
  };
}

/** The file that Nix would read: links resolved, and default.nix of a folder. */
async function expressionFile(given: string): Promise<string> {
  try {
    const path = await realpath(given);
    return (await stat(path)).isDirectory() ? await realpath(join(path, 'default.nix')) : path;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw localError(`opening ${given}`, error);
    throw new OciPloneError('INPUT_ABSENT', `${given} does not exist`, { cause: error });
  }
}

/** nix-instantiate prints `path` or `path!output`; the path is the root that was added, a link to the derivation. */
async function derivationOf(line: string): Promise<Derivation> {
  const [root = '', output = 'out'] = line.split('!');
  const path = isStorePath(root) ? root : await readlink(root).catch(() => '');
  if (!isStorePath(path) || !path.endsWith('.drv')) {
    throw new OciPloneError('NIX_FAILED', `nix-instantiate answered ${line}, which is not a derivation`);
  }
  return { path, output };
}

/** The attributes of the expression's set; null where it is something else. */
async function attributeNames(session: Session, step: Step): Promise<readonly string[] | null> {
  const ended = await runStep(session, { ...step, args: ['--eval', '--strict', '--json', ...step.args] });
  try {
    const value: unknown = JSON.parse(ended.stdout);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : null;
  } catch {
    return null;
  }
}

function nameOf(path: string): string {
  return path.slice('/nix/store/'.length + 33).replace(/\.drv$/, '');
}
