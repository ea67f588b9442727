import type { CallOptions } from '../call-options.ts';
import type { NixChoices } from '../nix/choices.ts';

/** How a buildout file is read. */
export interface BuildoutChoices {
  /** The target's Python, such as `3.11.2`. Default: the lock's, else the `python3` of the nixpkgs in use, else 3.11.2. */
  readonly python?: string | undefined;
  /** `section:option=value` of zc.buildout's command line; an option may end with `+` or `-`. */
  readonly overrides?: readonly (readonly [section: string, option: string, value: string])[] | undefined;
  /** Ask nothing of the network: what is extended comes out of `extends-cache`. @default false */
  readonly offline?: boolean | undefined;
  /** `URL#HASH` of a nixpkgs tarball, or a folder. Default: `<nixpkgs>`. */
  readonly nixpkgs?: string | undefined;
}

/** How Nix is asked which Python it has. */
export type EvaluationChoices = Pick<NixChoices, 'include' | 'nixOptions' | 'store' | 'sandbox' | 'show' | 'timeout'>;

export interface ShowOptions extends BuildoutChoices, EvaluationChoices, CallOptions {
  /** A path, or an http(s) address. */
  readonly file: string;
  /** One section alone, of which alone a failure is an error. */
  readonly section?: string | undefined;
}

/** How a working set is resolved, and what of a buildout it is for. */
export interface ResolvingChoices extends BuildoutChoices {
  /** The part to work on, where several could be meant. */
  readonly part?: string | undefined;
  /** Indexes, in place of the buildout's and pip's own. */
  readonly indexes?: readonly string[] | undefined;
  /** Folders, pages of links and files, beside the buildout's find-links. */
  readonly findLinks?: readonly string[] | undefined;
  /** Constraints files, as pip's `-c`: paths or addresses. */
  readonly constraints?: readonly string[] | undefined;
  /** The lock has to be current already. @default false */
  readonly frozen?: boolean | undefined;
  /** Names of packages, or all: what may move to a newer version than the lock's. */
  readonly upgrade?: 'all' | readonly string[] | undefined;
  /** What no index has is passed over, and told. @default false */
  readonly allowMissing?: boolean | undefined;
}

export interface ExpressionOptions extends ResolvingChoices, EvaluationChoices, CallOptions {
  /** The buildout file. */
  readonly file: string;
  /** The folder that is written to. Default: the part's `prefix`, else the buildout's folder. */
  readonly output?: string | undefined;
  /** Also `default.nix`: a shell with the environment and zc.buildout. @default false */
  readonly shell?: boolean | undefined;
  /** Overwrite files that were not written by this program. @default false */
  readonly force?: boolean | undefined;
  /** Write nothing; fail where files or lock are not what they would be written as. @default false */
  readonly check?: boolean | undefined;
}
