import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExpressionSet, PackageSource } from '../nix/expressions/working-set.ts';
import { parseRequirement } from '../python/requirement.ts';
import type { Distribution, WorkingSet } from '../python/working-set.ts';
import { buildoutText } from './buildout-text.ts';
import { readNixpkgs } from './nixpkgs.ts';
import { isAttribute } from './nix-part.ts';
import type { NixPart } from './nix-part.ts';
import type { Project } from './project.ts';
import { programVersion } from './version.ts';

export interface ExpressionRequest {
  readonly project: Project;
  readonly part: NixPart;
  readonly set: WorkingSet;
  /** Canonical names. */
  readonly roots: readonly string[];
  readonly nixpkgs: string | undefined;
  /** The folder of the expressions, where they stay: files in the buildout's folder are then named from there. */
  readonly folder: string | null;
}

/** A working set in the words of those who write expressions, with all that the part says about single packages. */
export function expressionSet({ project, part, set, roots, nixpkgs, folder }: ExpressionRequest): ExpressionSet {
  const { buildout, file, target } = project;
  const names = new Set(set.distributions.map(({ name }) => name));
  return {
    name: part.name,
    writtenBy: `oci-plone ${programVersion()}`,
    writtenFrom: `${basename(file)}, part ${part.section}`,
    nixpkgs: readNixpkgs(nixpkgs),
    pythonVersion: target.pythonVersion,
    packages: set.distributions.map((one) => packageSource(one, part, placeFor(buildout.directory, folder))),
    roots: roots.filter((name) => names.has(name) || part.fromNixpkgs.has(name)),
    environmentInputs: part.environmentInputs,
    fromNixpkgs: part.fromNixpkgs,
    buildout: buildoutText(buildout, part.parts),
    outputs: part.outputs,
  };
}

function packageSource(one: Distribution, part: NixPart, place: (path: string) => string): PackageSource {
  const { name, version, file, kind, url, sha256, requires } = one;
  const added = (part.propagatedBuildInputs.get(name) ?? []).map((input) =>
    isAttribute(input) ? input : parseRequirement(input).name,
  );
  return {
    name,
    version,
    file,
    kind,
    source: url.startsWith('file:') ? { kind: 'path', path: place(fileURLToPath(url)) } : { kind: 'url', url },
    sha256,
    requires,
    buildSystem: kind === 'sdist' ? ['setuptools'] : [],
    buildInputs: part.buildInputs.get(name) ?? [],
    propagatedBuildInputs: added,
    hooks: part.hooks.get(name) ?? new Map(),
  };
}

/** How an expression names a file of this machine: from its own folder, where both belong to the buildout. */
function placeFor(directory: string, folder: string | null): (path: string) => string {
  if (folder === null || !isWithin(folder, directory)) return (path) => path;
  return (path) => {
    if (!isWithin(path, directory)) return path;
    const from = relative(folder, path);
    return from.startsWith('../') ? from : `./${from}`;
  };
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
