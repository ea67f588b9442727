import type { Bounded } from './bounds.ts';
import type { Chooser } from './chooser.ts';
import { dependenciesOf } from './metadata.ts';
import type { Requirement } from './requirement.ts';

export interface LookAhead {
  /** Has the page and the metadata of what a requirement will most likely take fetched, and of what that requires. */
  readonly want: (requirement: Requirement) => void;
  /** Follows nothing more, and waits for what is under way. */
  readonly stop: () => Promise<void>;
}

/**
 * Resolving goes step by step, since each choice may depend on the last one; what it will ask for is fetched side by side in
 * front of it. A wrong guess costs a request, a failure is met again, and told, by the one who needs it.
 */
export function lookAhead(bounded: Bounded, chooser: Chooser): LookAhead {
  const seen = new Set<string>();
  const running = new Set<Promise<void>>();
  let stopped = false;
  const follow = async (requirement: Requirement): Promise<void> => {
    const { specifiers, against } = bounded.constrain(requirement);
    if (against !== null) return;
    const choice = await chooser.choose(requirement.name, specifiers);
    if (choice.file === null || stopped) return;
    for (const dependency of dependenciesOf(choice.metadata, requirement.extras, bounded.environment)) want(dependency);
  };
  const want = (requirement: Requirement): void => {
    // The first one that is met chooses, later ones only have to agree.
    const key = `${requirement.name}[${requirement.extras.join()}]`;
    if (stopped || seen.has(key)) return;
    seen.add(key);
    const task = follow(requirement)
      .catch(() => {})
      .finally(() => running.delete(task));
    running.add(task);
  };
  const stop = async (): Promise<void> => {
    stopped = true;
    await Promise.all(running);
  };
  return { want, stop };
}
