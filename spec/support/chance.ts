/** What fuzzing begins with: OCI_PLONE_SEED repeats a run that failed, whose seed is printed. */
export const SEED: number = Number(process.env['OCI_PLONE_SEED'] ?? Date.now() % 2 ** 31) | 0;

/** How often something random is tried: a few times in `npm test`, many times in scripts/fuzz.sh. */
export function times(usual: number): number {
  return Math.ceil(usual * Number(process.env['OCI_PLONE_FUZZ'] ?? 1));
}

/** Whole numbers from 0 to below `below`, the same for a seed (Numerical Recipes' generator, as elsewhere in the specs). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
