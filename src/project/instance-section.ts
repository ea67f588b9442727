import type { Buildout } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { INSTANCE_RECIPE, partsOf } from './find-part.ts';
import { didYouMean } from '../nearest-name.ts';

/** A section of plone.recipe.zope2instance, resolved. */
export interface InstanceSection {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  /** The buildout's folder, absolute. */
  readonly directory: string;
}

/**
 * The instance that goes into an image: the one of its recipe, listed in `parts` or not; of several the wanted one. Null
 * where there is none, or none is wanted.
 *
 * @param wanted - a section's name, or false for no instance
 * @throws INPUT_MALFORMED for several, USAGE for a wanted one that is of another recipe
 */
export function instanceSection(buildout: Buildout, wanted: string | false | undefined): InstanceSection | null {
  if (wanted === false) return null;
  const names = partsOf(buildout, INSTANCE_RECIPE);
  if (wanted !== undefined && !names.includes(wanted))
    throw new OciPloneError('USAGE', `[${wanted}] is no part of ${INSTANCE_RECIPE}${didYouMean(wanted, names)}`, {
      hint: names.length === 0 ? '' : `There are ${names.join(', ')}.`,
    });
  const [name, ...others] = wanted === undefined ? names : [wanted];
  if (name === undefined) return null;
  if (others.length > 0)
    throw new OciPloneError('INPUT_MALFORMED', `${buildout.file} has several instances: ${names.join(', ')}`, {
      hint: `Choose one with --instance ${name}, or by "instance = ${name}" in [image]; --no-instance packs the environment alone.`,
    });
  return { name, options: buildout.section(name), directory: buildout.directory };
}
