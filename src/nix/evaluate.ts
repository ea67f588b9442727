import { OciPloneError } from '../errors.ts';
import { nixFailed } from './failure.ts';
import { runStep } from './runner.ts';
import type { Session } from './runner.ts';
import { readIncludes, readNixPath } from './search-path.ts';

/**
 * The value of an expression, given as text, that is data all through: what `nix-instantiate --eval --strict --json` says.
 * Throws INPUT_ABSENT, INPUT_REFUSED for what it includes, NIX_FAILED, NIX_TIMEOUT, ABORTED.
 */
export async function evaluate(session: Session, expression: string, include: readonly string[]): Promise<unknown> {
  const includes = readIncludes(include, session.judge);
  const nixPath = readNixPath(session.env, session.judge);
  const shown = [...includes, ...nixPath].flatMap((entry) => entry.shown ?? []);
  const ended = await runStep(session, {
    kind: 'evaluation',
    holding: 'view',
    program: 'instantiate',
    shown,
    nixPath: nixPath.map(({ text }) => text),
    args: ['--eval', '--strict', '--json', ...includes.flatMap(({ text }) => ['-I', text]), '-E', expression],
  });
  if (ended.code !== 0) throw await nixFailed(session, ended, shown);
  try {
    return JSON.parse(ended.stdout);
  } catch (error) {
    throw new OciPloneError('NIX_FAILED', 'nix-instantiate answered what is no JSON', { cause: error });
  }
}
