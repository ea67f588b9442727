import { systemOfDerivation } from './closure.ts';
import { instantiate } from './instantiate.ts';
import type { Expression } from './instantiate.ts';
import type { Holding } from './holding.ts';
import { realise } from './realise.ts';
import type { Session } from './runner.ts';

/** What became of an expression. */
export interface Built {
  /** /nix/store/…, in every store. */
  readonly storePath: string;
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
  const system = await systemOfDerivation(session, derivation.path);
  const holding = await findHolding();
  const storePath = await realise(session, derivation, holding);
  return { storePath, system };
}
