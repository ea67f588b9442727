import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { nixFailed } from './failure.ts';
import type { Holding } from './holding.ts';
import type { Derivation } from './instantiate.ts';
import { runStep } from './runner.ts';
import type { Session } from './runner.ts';
import { isStorePath } from './store.ts';

/**
 * Builds one output of each derivation, or takes it from a binary cache. The paths are in the order of the derivations.
 * Throws NIX_FAILED with the end of the log.
 */
export async function realise(
  session: Session,
  derivations: readonly Derivation[],
  holding: Holding,
): Promise<readonly string[]> {
  const root = join(session.workspace.roots, 'output');
  const ended = await runStep(session, {
    kind: 'realisation',
    holding,
    program: 'store',
    args: [
      '--realise',
      ...derivations.map(({ path, output }) => `${path}!${output}`),
      '--add-root',
      root,
      '--indirect',
    ],
  });
  if (ended.code !== 0) throw await nixFailed(session, ended, []);
  const lines = ended.stdout.split('\n').filter((text) => text !== '');
  const named = await Promise.all(
    lines.map(async (line) => (isStorePath(line) ? line : await readlink(line).catch(() => ''))),
  );
  const paths = named.filter(isStorePath);
  if (paths.length === derivations.length) return paths;
  throw new OciPloneError('NIX_FAILED', `nix-store realised ${derivations.length} outputs and named ${paths.length}`);
}
