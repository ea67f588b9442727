import { OciPloneError } from '../../errors.ts';
import { byName, listAttribute } from './lines.ts';
import { nixpkgsReference } from './nixpkgs.ts';
import { sourceLines } from './package-source.ts';
import { attributeName, indentedString, nixString, storeName } from './quote.ts';
import type { PackageSource } from './working-set.ts';

/** The functions that packages are built by, by name; see `HELPERS` for what they are. */
export type Builder = 'wheel' | 'nativeWheel' | 'sdist';

/** Attributes that a hook may not take, since they are written here. */
const OWN: ReadonlySet<string> = new Set(
  `name pname version src format pyproject build-system dependencies doCheck dontCheckRuntimeDeps
   buildInputs nativeBuildInputs propagatedBuildInputs`.split(/\s+/),
);

export function builderOf({ kind, file }: PackageSource): Builder {
  if (kind === 'sdist') return 'sdist';
  return /-any\.whl$/i.test(file) ? 'wheel' : 'nativeWheel';
}

export function packageReference(name: string): string {
  return `packages.${attributeName(name)}`;
}

/** What an expression may refer to by name: the wheels of the set can help to build its sdists without a circle. */
export interface Known {
  readonly names: ReadonlySet<string>;
  readonly wheels: ReadonlySet<string>;
}

/**
 * The attributes of one package. Packages of the set are not propagated: the environment holds them all, so that a circle of
 * requirements is no circle of derivations. Throws INPUT_MALFORMED and INPUT_REFUSED.
 */
export function packageLines(one: PackageSource, known: Known): readonly string[] {
  const ofSet = one.propagatedBuildInputs.filter((name) => known.names.has(name));
  const ofNixpkgs = one.propagatedBuildInputs.filter((name) => !known.names.has(name));
  const buildSystem =
    one.kind === 'wheel' ? [] : [...one.buildSystem, ...ofSet.filter((name) => known.wheels.has(name))];
  return [
    `pname = ${nixString(storeName(one.name))};`,
    `version = ${nixString(storeName(one.version))};`,
    ...sourceLines(one),
    ...listAttribute('build-system', unique(buildSystem.map((name) => buildReference(name, known)))),
    ...listAttribute('buildInputs', unique(one.buildInputs.map(nixpkgsReference))),
    ...listAttribute('propagatedBuildInputs', unique(ofNixpkgs.map(nixpkgsReference))),
    ...[...one.hooks]
      .sort(([left], [right]) => byName(left, right))
      .flatMap(([name, text]) => hookLines(one, name, text)),
  ];
}

function buildReference(name: string, known: Known): string {
  return known.wheels.has(name) ? packageReference(name) : `python.pkgs.${attributeName(name)}`;
}

function hookLines(one: PackageSource, name: string, text: string): readonly string[] {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || OWN.has(name)) {
    throw new OciPloneError('INPUT_MALFORMED', `${one.name}: ${JSON.stringify(name)} cannot be a hook`, {
      hint: 'Hooks are phases and what runs before or after them: preBuild, installPhase, postInstall.',
    });
  }
  return `${attributeName(name)} = ${indentedString(text)};`.split('\n');
}

function unique(entries: readonly string[]): readonly string[] {
  return [...new Set(entries)];
}
