import { systemOfDerivation } from './closure.ts';
import { instantiate, instantiateEach } from './instantiate.ts';
import type { Derivation, Expression } from './instantiate.ts';
import type { Holding } from './holding.ts';
import { realise } from './realise.ts';
import type { Session } from './runner.ts';
import { onDisk } from './store.ts';

/** What became of an expression. */
export interface Built {
  /** /nix/store/…, in every store. */
  readonly storePath: string;
  /** Where it lies on this machine. */
  readonly onDisk: string;
  /** The derivation's `system`, such as x86_64-linux. */
  readonly system: string | null;
}

/** Evaluates, then builds: two programs, since foreign code runs in the first and secrets are in the second. */
export async function buildExpression(
  session: Session,
  expression: Expression,
  findHolding: () => Promise<Holding>,
): Promise<Built> {
  const derivation = await instantiate(session, expression);
  const [built] = await buildDerivations(session, [derivation], findHolding);
  if (built === undefined) throw new Error('a derivation was built and has no path');
  return built;
}

/** The same for several attributes of an expression, evaluated once, in their order. */
export async function buildAttributes(
  session: Session,
  expression: Expression,
  attributes: readonly string[],
  findHolding: () => Promise<Holding>,
): Promise<readonly Built[]> {
  return buildDerivations(session, await instantiateEach(session, expression, attributes), findHolding);
}

async function buildDerivations(
  session: Session,
  derivations: readonly Derivation[],
  findHolding: () => Promise<Holding>,
): Promise<readonly Built[]> {
  const systems = await Promise.all(derivations.map(({ path }) => systemOfDerivation(session, path)));
  const storePaths = await realise(session, derivations, await findHolding());
  return storePaths.map((storePath, index) => ({
    storePath,
    onDisk: onDisk(session.store, storePath),
    system: systems[index] ?? null,
  }));
}
