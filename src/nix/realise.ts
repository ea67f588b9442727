import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { nixFailed } from './failure.ts';
import type { Holding } from './holding.ts';
import type { Derivation } from './instantiate.ts';
import { runStep } from './runner.ts';
import type { Session } from './runner.ts';
import { isStorePath } from './store.ts';

/** Builds one output of a derivation, or takes it from a binary cache. Throws NIX_FAILED with the end of the log. */
export async function realise(session: Session, derivation: Derivation, holding: Holding): Promise<string> {
  const root = join(session.workspace.roots, 'output');
  const ended = await runStep(session, {
    kind: 'realisation',
    holding,
    program: 'store',
    args: ['--realise', `${derivation.path}!${derivation.output}`, '--add-root', root, '--indirect'],
  });
  if (ended.code !== 0) throw await nixFailed(session, ended, []);
  for (const line of ended.stdout.split('\n').filter((text) => text !== '')) {
    const path = isStorePath(line) ? line : await readlink(line).catch(() => '');
    if (isStorePath(path)) return path;
  }
  throw new OciPloneError('NIX_FAILED', `nix-store realised ${derivation.path} and named no path`);
}
