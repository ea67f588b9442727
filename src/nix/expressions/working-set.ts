/**
 * A working set as the expressions need it: every distribution that an environment holds, with where it comes from. The
 * words are those of `src/python`, which this room does not know; whoever joins them hands one over as the other.
 *
 * An "attribute path" is text as people write it in a buildout, `libxml2` or `pythonPackages."setuptools-git"`: a path of
 * names below nixpkgs, where `pythonPackages` and `python3Packages` stand for the packages of the target's Python.
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
  /** In any order; they are written sorted by name. */
  readonly packages: readonly PackageSource[];
  /**
   * Canonical names of the packages that the part asks for: its root eggs, those of develop eggs' requirements among them.
   * Each gets a file of its own.
   */
  readonly roots: readonly string[];
  /** Attribute paths that the environment holds beside the eggs: the recipe's `build-inputs` without a package. */
  readonly environmentInputs: readonly string[];
  /**
   * Packages taken from nixpkgs instead of built here, as attribute paths by canonical name: the recipe's `nixpkgs`
   * (`pillow=python3Packages.pillow`). One that is in `packages`, too, is taken from nixpkgs.
   */
  readonly fromNixpkgs: ReadonlyMap<string, string>;
  /**
   * Resolved sections of the parts that `NAME.nix` runs, as a buildout file, to the letter; null where there are none. The
   * environment's own `buildout` runs it, so `zc-buildout` and what the parts' recipes need have to be in `packages`.
   * `buildout:directory` is set when it runs: a `${buildout:directory}` left in it is the output's folder.
   */
  readonly buildout: string | null;
  /** Which files are written, by name; all where it is empty: the recipe's `outputs`. Folders before a name do not count. */
  readonly outputs: readonly string[];
}

export type Nixpkgs =
  | { readonly kind: 'search-path' }
  /** `--nixpkgs URL#hash`, fetched by `fetchTarball`; the hash in any spelling that Nix has: SRI, base 32, hexadecimal. */
  | { readonly kind: 'pinned'; readonly url: string; readonly sha256: string }
  /** `--nixpkgs FOLDER` */
  | { readonly kind: 'folder'; readonly path: string };

export interface PackageSource {
  /** Canonical. */
  readonly name: string;
  readonly version: string;
  /** The name of the wheel or sdist, `plone-6.2.2-py3-none-any.whl`. */
  readonly file: string;
  readonly kind: 'wheel' | 'sdist';
  /** An address without credentials, or a path: of this machine, or (`./wheels/…`, `../…`) from the expression's folder. */
  readonly source: { readonly kind: 'url'; readonly url: string } | { readonly kind: 'path'; readonly path: string };
  /** Hexadecimal, as an index has it; written as SRI. */
  readonly sha256: string;
  /** Canonical names, after markers and extras. Those that are neither in the set nor from nixpkgs are passed over. */
  readonly requires: readonly string[];
  /** What an sdist is built with, canonical names of packages of this set or of nixpkgs; empty for a wheel. */
  readonly buildSystem: readonly string[];
  /** Attribute paths: the recipe's `build-inputs`. */
  readonly buildInputs: readonly string[];
  /** Attribute paths, or names of packages of this set: the recipe's `propagated-build-inputs`. */
  readonly propagatedBuildInputs: readonly string[];
  /** Shell texts by phase or hook (`preBuild`), a line's end added where the last line has none: the recipe's `hooks`. */
  readonly hooks: ReadonlyMap<string, string>;
}

/** One file of what was written. */
export interface ExpressionFile {
  /** `plone-env.nix` */
  readonly name: string;
  readonly text: string;
}
