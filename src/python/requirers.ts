import { formatRequirement } from './requirement.ts';
import type { Requirement } from './requirement.ts';

/** Who requires something: a distribution of the working set, or null for the user. */
export interface Requirer {
  readonly by: { readonly name: string; readonly version: string } | null;
  readonly requirement: Requirement;
}

/** Remembers who required what, in the order it was met. */
export class Requirers {
  readonly #of = new Map<string, Requirer[]>();

  add(requirer: Requirer): void {
    const { name } = requirer.requirement;
    const known = this.#of.get(name);
    if (known === undefined) this.#of.set(name, [requirer]);
    else known.push(requirer);
  }

  of(name: string): readonly Requirer[] {
    return this.#of.get(name) ?? [];
  }

  /** One sentence's part: `plone.api 2.0 (required by Plone 6.0) requires plone.base>=1`. */
  explain({ by, requirement }: Requirer): string {
    if (by === null) return `the buildout asks for ${formatRequirement(requirement)}`;
    return `${by.name} ${by.version}${this.#chain(by.name)} requires ${formatRequirement(requirement)}`;
  }

  /** The way from a distribution up to what the user asked for. */
  #chain(name: string): string {
    const steps: string[] = [];
    const seen = new Set([name]);
    for (let next = this.of(name)[0]?.by; next !== undefined && next !== null; next = this.of(next.name)[0]?.by) {
      if (seen.has(next.name)) break;
      seen.add(next.name);
      steps.push(`required by ${next.name} ${next.version}`);
    }
    return steps.length === 0 ? '' : ` (${steps.join(', ')})`;
  }
}
