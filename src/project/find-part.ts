import type { Buildout } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { didYouMean } from '../nearest-name.ts';

export const NIX_RECIPE = 'collective.recipe.nix';
export const INSTANCE_RECIPE = 'plone.recipe.zope2instance';
/** The recipe of a part that describes an image. zc.buildout knows no such recipe: the part must not stand in `parts`. */
export const IMAGE_RECIPE = 'oci-plone';

/** The part that says what is packed. */
export interface FoundPart {
  readonly section: string;
  readonly recipe: typeof NIX_RECIPE | typeof INSTANCE_RECIPE;
  /** Whether the buildout has other parts of the recipe. */
  readonly isOnly: boolean;
}

/**
 * The part to work on: the one of collective.recipe.nix, listed in `parts` or not; without any the one of
 * plone.recipe.zope2instance; of several the wanted one.
 *
 * @throws USAGE for several, and for a wanted one that is of another recipe; INPUT_ABSENT for none
 */
export function findPart(buildout: Buildout, wanted: string | undefined): FoundPart {
  const of = (recipe: string): readonly string[] => partsOf(buildout, recipe);
  const [nix, instances] = [of(NIX_RECIPE), of(INSTANCE_RECIPE)];
  if (wanted !== undefined) return wantedPart(wanted, buildout, nix, instances);
  const candidates = nix.length > 0 ? nix : instances;
  const [section, ...others] = candidates;
  const recipe = nix.length > 0 ? NIX_RECIPE : INSTANCE_RECIPE;
  if (others.length > 0)
    throw new OciPloneError('USAGE', `${buildout.file} has several parts of ${recipe}: ${candidates.join(', ')}`, {
      hint: `Name one of them, for example ${candidates[0]}.`,
    });
  if (section !== undefined) return { section, recipe, isOnly: true };
  // One that is broken may be the one that was meant.
  for (const name of buildout.sections) recipeOf(buildout, name);
  throw new OciPloneError(
    'INPUT_ABSENT',
    `${buildout.file} has no part of ${NIX_RECIPE}, and none of ${INSTANCE_RECIPE}`,
    {
      hint: `Add a section with "recipe = ${NIX_RECIPE}" and "eggs = …"; it need not stand in parts.`,
    },
  );
}

function wantedPart(
  wanted: string,
  buildout: Buildout,
  nix: readonly string[],
  instances: readonly string[],
): FoundPart {
  if (nix.includes(wanted)) return { section: wanted, recipe: NIX_RECIPE, isOnly: nix.length === 1 };
  const recipe = INSTANCE_RECIPE;
  if (instances.includes(wanted)) {
    return { section: wanted, recipe, isOnly: nix.length === 0 && instances.length === 1 };
  }
  const known = [...nix, ...instances];
  const what = buildout.has(wanted) ? `is no part of ${NIX_RECIPE} or ${INSTANCE_RECIPE}` : 'does not exist';
  throw new OciPloneError('USAGE', `[${wanted}] ${what}${didYouMean(wanted, known)}`, {
    hint: known.length === 0 ? `Add a section with "recipe = ${NIX_RECIPE}".` : `There are ${known.join(', ')}.`,
  });
}

/** The sections of a recipe, listed in `parts` or not. zc.buildout does not resolve what it does not use, nor is it here. */
export function partsOf(buildout: Buildout, recipe: string): readonly string[] {
  return buildout.sections.filter((section) => recipeEgg(buildout, section) === recipe);
}

/** The egg of a section's recipe, without its entry point; empty for a section that is no part, or cannot be read. */
export function recipeEgg(buildout: Buildout, section: string): string {
  try {
    return eggOf(recipeOf(buildout, section));
  } catch (error) {
    if (error instanceof OciPloneError) return '';
    throw error;
  }
}

function recipeOf(buildout: Buildout, section: string): string {
  const written = buildout.written(section, 'recipe') ?? '';
  return written.includes('${') ? (buildout.find(section, 'recipe') ?? '') : written;
}

/** `zc.recipe.egg:scripts` is the entry point `scripts` of the egg `zc.recipe.egg`. */
export function eggOf(recipe: string): string {
  return (recipe.split(':')[0] ?? '').trim();
}
