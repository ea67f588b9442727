import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CallOptions, Environment } from '../call-options.ts';
import { OciPloneError, localError } from '../errors.ts';
import { writeExpressions as expressionTexts } from '../nix/expressions/write.ts';
import type { ExpressionSet } from '../nix/expressions/working-set.ts';
import { formatLock } from '../python/lock.ts';
import type { Change } from '../python/locked-set.ts';
import { canonicalName } from '../python/name.ts';
import { expressionSet } from './expression-set.ts';
import { IMAGE_RECIPE, INSTANCE_RECIPE, NIX_RECIPE, partsOf } from './find-part.ts';
import { readImagePart } from './image-part.ts';
import type { ImagePart } from './image-part.ts';
import { instanceSection } from './instance-section.ts';
import type { InstanceSection } from './instance-section.ts';
import type { EvaluationChoices, ResolvingChoices } from './options.ts';
import { prepare } from './prepare.ts';
import { withProject } from './project.ts';
import type { Project } from './project.ts';
import { runtimePackages } from './runtime-packages.ts';
import { writeFiles } from './write-files.ts';

export interface PackableOptions extends ResolvingChoices, EvaluationChoices, CallOptions {
  readonly file: string;
  /** The section of the recipe `oci-plone`, where there are several. */
  readonly image?: string | undefined;
  /** The section of the instance that goes into the image, where there are several; false for none. */
  readonly instance?: string | false | undefined;
  readonly env: Environment;
  /** See `readImagePart`. */
  readonly checkImage: (image: Partial<ImagePart>) => void;
}

/** What of a buildout goes into an image. */
export interface Packable {
  /** The file of an expression. */
  readonly expression: string;
  /** By what the image is called where nobody says it. */
  readonly name: string;
  /** Folders that the expression needs to be shown. */
  readonly show: readonly string[];
  /** What the buildout says about the image. */
  readonly image: ImagePart | null;
  /** Versions that are not those of the lock before. */
  readonly changes: readonly Change[];
  /** What is needed to make an instance that runs in the environment; null where none is packed. */
  readonly instance: PackableInstance | null;
}

export interface PackableInstance {
  readonly section: InstanceSection;
  /** The folder of the expression: more may be written there. */
  readonly folder: string;
  /** The file there of an environment that has the recipe with all that it needs. */
  readonly recipeEnvironment: string;
  readonly set: Pick<ExpressionSet, 'writtenBy' | 'writtenFrom' | 'nixpkgs'>;
}

/**
 * Writes the expression of a buildout's environment into a temporary folder for the time of `use`, and the lock beside the
 * buildout for good. Where `[image]` names an expression, that one is taken as it is.
 *
 * @throws as `prepare` does, and as reading `[image]` does
 */
export async function withPackable<T>(options: PackableOptions, use: (packable: Packable) => Promise<T>): Promise<T> {
  return withProject(options, async (project) => {
    const { buildout } = project;
    const image = readImagePart(buildout, options.image, options.checkImage);
    if (image === null && buildout.has('image') && buildout.written('image', 'recipe') === undefined)
      project.onProgress?.({ kind: 'note', text: `[image] is not used: it has no "recipe = ${IMAGE_RECIPE}"` });
    if (image?.expression !== undefined) {
      const { expression } = image;
      const name = basename(expression).replace(/\.nix$/, '');
      return use({ expression, name, show: [], image, changes: [], instance: null });
    }
    const choices = { ...options, part: options.part ?? image?.part ?? instanceOf(project, options, image) };
    const section = instanceSection(project.buildout, options.instance ?? image?.instance);
    const { part, locked, lockFile, roots } = await prepare(project, choices);
    const request = { project, part, set: locked.set, roots, nixpkgs: options.nixpkgs, folder: null };
    const set: ExpressionSet = { ...expressionSet(request), outputs: [`${part.name}-env.nix`] };
    if (section !== null) assertHasRecipe(set, section, part.section);
    if (locked.isNew) await writeFiles([{ path: lockFile, text: formatLock(locked.lock), replace: true }]);
    return withFolder(project, async (folder) => {
      const recipeName = `${part.name}-recipe`;
      const sets =
        section === null
          ? [set]
          : [
              { ...set, packages: runtimePackages(set.packages, roots) },
              { ...set, name: recipeName, outputs: [`${recipeName}-env.nix`] },
            ];
      const files = sets.flatMap((one) => expressionTexts({ ...one, buildout: null }));
      await writeFiles(files.map(({ name, text }) => ({ path: join(folder, name), text, replace: true })));
      return use({
        expression: join(folder, `${part.name}-env.nix`),
        name: part.name,
        show: foldersOf(set),
        image,
        changes: locked.changes,
        instance: section === null ? null : { section, folder, recipeEnvironment: `${recipeName}-env.nix`, set },
      });
    });
  });
}

/** An instance is written by its recipe, which has to be among the packages. */
function assertHasRecipe({ packages }: ExpressionSet, section: InstanceSection, part: string): void {
  if (packages.some(({ name }) => name === canonicalName(INSTANCE_RECIPE))) return;
  throw new OciPloneError(
    'INPUT_REFUSED',
    `[${part}] does not have ${INSTANCE_RECIPE}, which makes [${section.name}]`,
    {
      hint: `Add ${INSTANCE_RECIPE} to its eggs, or pack the environment alone with --no-instance.`,
    },
  );
}

/** An instance that is named stands for a part where no part of collective.recipe.nix says what is packed. */
function instanceOf({ buildout }: Project, options: PackableOptions, image: ImagePart | null): string | undefined {
  if (partsOf(buildout, NIX_RECIPE).length > 0) return undefined;
  return typeof options.instance === 'string' ? options.instance : image?.instance;
}

/** Folders of wheels, and of nixpkgs where it is one. */
function foldersOf({ packages, nixpkgs }: ExpressionSet): readonly string[] {
  const files = packages.flatMap(({ source }) => (source.kind === 'path' ? [dirname(source.path)] : []));
  return [...new Set([...files, ...(nixpkgs.kind === 'folder' ? [nixpkgs.path] : [])])];
}

async function withFolder<T>({ env }: Project, use: (folder: string) => Promise<T>): Promise<T> {
  const parent = env['TMPDIR'] || '/tmp';
  const folder = await realpath(parent)
    .then(async (real) => mkdtemp(join(real, 'oci-plone-buildout-')))
    .catch((error: unknown) => {
      throw localError(`making a temporary folder in ${parent}`, error);
    });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
