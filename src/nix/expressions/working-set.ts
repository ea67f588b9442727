/**
 * A working set as the expressions need it: every distribution that an environment holds, with where it comes from. The
 * words are those of `src/python`, which this room does not know; whoever joins them hands one over as the other.
 */
export interface ExpressionSet {
  /** The part's name, or what its option `name` says: `plone` makes `plone.nix`, `plone-env.nix`, `plone-<egg>.nix`. */
  readonly name: string;
  /** For the header: what wrote the file (`oci-plone 0.1.0`) and from what (`buildout.cfg, part plone`). */
  readonly writtenBy: string;
  readonly writtenFrom: string;
  /** Where `<nixpkgs>` is taken from. */
  readonly nixpkgs: Nixpkgs;
  /** The target's full version, `3.11.2`: wheels fit no other minor one, so the expressions name `python311`. */
  readonly pythonVersion: string;
  /** Sorted by name. */
  readonly packages: readonly PackageSource[];
  /** Canonical names of the packages that the part asks for: its root eggs, those of develop eggs' requirements among them. */
  readonly roots: readonly string[];
  /** Attributes of nixpkgs that the environment holds beside the eggs: the recipe's `build-inputs` without a package. */
  readonly environmentInputs: readonly string[];
  /** Packages taken from nixpkgs instead of built here, by canonical name: the recipe's `nixpkgs` (`pillow=python3Packages.pillow`). */
  readonly fromNixpkgs: ReadonlyMap<string, string>;
  /** Resolved sections of the parts that `plone.nix` runs, as a buildout file; null where there are none. */
  readonly buildout: string | null;
  /** Which files are written, by name; all where it is empty: the recipe's `outputs`. */
  readonly outputs: readonly string[];
}

export type Nixpkgs =
  | { readonly kind: 'search-path' }
  /** `--nixpkgs URL#hash`: fetched by `fetchTarball`, or a local folder where it is a path without a hash. */
  | { readonly kind: 'pinned'; readonly url: string; readonly sha256: string };

export interface PackageSource {
  /** Canonical. */
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly kind: 'wheel' | 'sdist';
  /** An address without credentials, or a path of this machine. */
  readonly source: { readonly kind: 'url'; readonly url: string } | { readonly kind: 'path'; readonly path: string };
  /** Hexadecimal, as an index has it; written as SRI. */
  readonly sha256: string;
  /** Canonical names, after markers and extras. */
  readonly requires: readonly string[];
  /** What an sdist is built with, canonical names of packages of this set or of nixpkgs; empty for a wheel. */
  readonly buildSystem: readonly string[];
  /** Attributes of nixpkgs: the recipe's `build-inputs`. */
  readonly buildInputs: readonly string[];
  /** Attributes of nixpkgs, or names of packages of this set: the recipe's `propagated-build-inputs`. */
  readonly propagatedBuildInputs: readonly string[];
  /** Shell texts by phase or hook (`preBuild`): the recipe's `hooks`. */
  readonly hooks: ReadonlyMap<string, string>;
}

/** One file of what was written. */
export interface ExpressionFile {
  /** `plone-env.nix` */
  readonly name: string;
  readonly text: string;
}
