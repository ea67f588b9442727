import { basename } from 'node:path';
import type { Buildout } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { didYouMean, nearestName } from '../nearest-name.ts';
import { parseRequirement } from '../python/requirement.ts';
import { NIX_RECIPE, IMAGE_RECIPE, eggOf, recipeEgg } from './find-part.ts';
import type { FoundPart } from './find-part.ts';
import { readMapping, readPureMapping } from './mapping.ts';
import type { Mapping } from './mapping.ts';
import { placeOf } from './place.ts';
import { readUrls } from './pinned-url.ts';
import type { PinnedUrl } from './pinned-url.ts';
import { lines, words } from './words.ts';

/** A part of collective.recipe.nix with every option read (version 1.0.3), or what one of an instance stands for. */
export interface NixPart {
  readonly section: string;
  /** Of the derivation and the files. */
  readonly name: string;
  /** The folder for the files, as it was written; null where nothing says it. */
  readonly prefix: string | null;
  /** Requirements of the eggs that the part names, and of the recipes of the parts that it installs. */
  readonly roots: readonly string[];
  /** What `propagated-build-inputs` adds to them, unless nixpkgs has it. */
  readonly added: readonly string[];
  /** Sections that `<name>.nix` installs. */
  readonly parts: readonly string[];
  /** Names of files; all where it is empty. */
  readonly outputs: readonly string[];
  readonly allowFromCache: boolean;
  readonly environmentInputs: readonly string[];
  readonly buildInputs: Mapping['of'];
  readonly propagatedBuildInputs: Mapping['of'];
  readonly fromNixpkgs: ReadonlyMap<string, string>;
  readonly urls: ReadonlyMap<string, PinnedUrl>;
  /** By package and name of the hook. */
  readonly hooks: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/**
 * Reads a part's options. Of an instance the eggs and its own recipe are packed, as the part that the article adds to a
 * buildout would have it.
 *
 * @throws INPUT_MALFORMED
 */
export function readNixPart(buildout: Buildout, { section, recipe }: FoundPart): NixPart {
  const option = (name: string): string => (buildout.find(section, name) ?? '').trim();
  const isInstance = recipe !== NIX_RECIPE;
  const parts = isInstance ? [section] : partsToInstall(buildout, section);
  const recipes = parts.map((part) => eggOf(buildout.get(part, 'recipe')));
  const eggs = lines(buildout.find(section, 'eggs'));
  const roots = [...new Set([...eggs, ...recipes])];
  for (const root of eggs) parseRequirement(root, placeOf(buildout, section, 'eggs'));
  if (roots.length === 0)
    throw new OciPloneError('INPUT_MALFORMED', `[${section}] names no eggs, and no parts whose recipes are some`, {
      hint: `Name what to pack in the option eggs${misspelt(buildout, section, 'eggs')}.`,
    });
  // What follows are options of collective.recipe.nix; a recipe of an instance knows none of them.
  const mapping = (name: string): Mapping['of'] =>
    isInstance ? new Map<string, readonly string[]>() : readPureMapping(buildout, section, name);
  const inputs = isInstance
    ? { of: new Map<string, readonly string[]>(), plain: [] }
    : readMapping(buildout, section, 'build-inputs');
  const propagated = mapping('propagated-build-inputs');
  return {
    section,
    name: nameOf(buildout, section, isInstance ? '' : option('name')),
    prefix: isInstance ? null : option('prefix') || null,
    roots,
    added: [...new Set([...propagated.values()].flat())].filter((name) => !isAttribute(name)),
    parts,
    outputs: isInstance ? [] : words(option('outputs')).map((output) => basename(output)),
    allowFromCache: !isInstance && /^(?:true|yes|on|enabled?|1)$/i.test(option('allow-from-cache')),
    environmentInputs: inputs.plain,
    buildInputs: inputs.of,
    propagatedBuildInputs: propagated,
    fromNixpkgs: new Map([...mapping('nixpkgs')].map(([name, values]) => [name, values.join(' ')])),
    urls: readUrls(mapping('urls'), placeOf(buildout, section, 'urls')),
    hooks: isInstance ? new Map() : readHooks(buildout, section),
  };
}

/** `python3Packages.lxml` is an attribute of nixpkgs, `plone.api` an egg. */
export function isAttribute(name: string): boolean {
  return /^(?:pkgs|python\d*Packages|pythonPackages)\./.test(name);
}

function partsToInstall(buildout: Buildout, section: string): readonly string[] {
  const named = words(buildout.find(section, 'parts'));
  const parts = named.length > 0 ? named : words(buildout.find('buildout', 'parts'));
  for (const part of parts)
    if (!buildout.has(part))
      throw new OciPloneError(
        'INPUT_MALFORMED',
        `${placeOf(buildout, named.length > 0 ? section : 'buildout', 'parts')}: there is no section [${part}]${didYouMean(part, buildout.sections)}`,
      );
  // Parts of these two recipes make expressions and images: inside of a build there is nothing to be made of them.
  return parts.filter((part) => part !== section && ![NIX_RECIPE, IMAGE_RECIPE].includes(recipeEgg(buildout, part)));
}

/** A section's option that was perhaps meant to be this one, which it does not have. */
function misspelt(buildout: Buildout, section: string, wanted: string): string {
  const near = nearestName(
    wanted,
    [...buildout.section(section)].map(([name]) => name),
  );
  return near === null ? '' : `; there is ${JSON.stringify(near)} in it`;
}

function nameOf(buildout: Buildout, section: string, given: string): string {
  const name = given === '' ? section : given;
  if (/^[A-Za-z0-9_][A-Za-z0-9+._?=-]*$/.test(name)) return name;
  throw new OciPloneError(
    'INPUT_MALFORMED',
    `${given === '' ? `[${section}]` : placeOf(buildout, section, 'name')}: "${name}" cannot be the name of a derivation`,
    { hint: 'Set the option name to letters, digits, "-", "_" and ".".' },
  );
}

/** `package=section`: each option of the section is a hook or a phase of the package's build. */
function readHooks(buildout: Buildout, section: string): NixPart['hooks'] {
  const hooks = new Map<string, Map<string, string>>();
  for (const [name, sections] of readPureMapping(buildout, section, 'hooks')) {
    const own = hooks.get(name) ?? new Map<string, string>();
    hooks.set(name, own);
    for (const named of sections) {
      if (!buildout.has(named))
        throw new OciPloneError(
          'INPUT_MALFORMED',
          `${placeOf(buildout, section, 'hooks')}: there is no section [${named}] of hooks for ${name}`,
          { hint: 'Write package=section, and in the section one option for each hook: preBuild = …' },
        );
      for (const [hook, text] of buildout.section(named)) {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(hook))
          throw new OciPloneError('INPUT_MALFORMED', `${placeOf(buildout, named, hook)}: no hook has such a name`);
        own.set(hook, text);
      }
    }
  }
  return hooks;
}
