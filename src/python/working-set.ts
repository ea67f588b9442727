import type { Target } from './target.ts';

/** What is to be resolved. */
export interface Wanted {
  readonly requirements: readonly string[];
  /** `[versions]`: names in any spelling, a version each, or clauses beginning with `<` or `>`; an empty text is no pin. */
  readonly pins: ReadonlyMap<string, string>;
  /** Lines of constraints files: they bound versions and ask for nothing. */
  readonly constraints?: readonly string[];
  readonly preferFinal: boolean;
  readonly allowPicked: boolean;
  readonly target: Target;
  /** Versions to stay with, by name, where nothing is pinned and they fit: those of a lock. */
  readonly preferred?: ReadonlyMap<string, string>;
  /** buildout's allow-unknown-extras. */
  readonly allowUnknownExtras?: boolean;
}

export interface Distribution {
  /** Canonical. */
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly kind: 'wheel' | 'sdist';
  /** Without credentials; `file:` for one out of a folder. */
  readonly url: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Canonical names, after markers and extras, sorted. */
  readonly requires: readonly string[];
  /** Canonical names, sorted; a root may have none. */
  readonly requiredBy: readonly string[];
  /** The extras that were asked for, canonical, sorted. */
  readonly extras: readonly string[];
}

/** A requirement for which nothing could be had. */
export interface Missing {
  /** Canonical. */
  readonly name: string;
  readonly requirement: string;
  readonly reason: string;
  readonly requiredBy: readonly string[];
}

export interface WorkingSet {
  readonly target: Target;
  /** Sorted by name. */
  readonly distributions: readonly Distribution[];
  /** Names whose version no pin chose, sorted. */
  readonly picked: readonly string[];
  /** Empty, unless missing ones were to be passed over. */
  readonly missing: readonly Missing[];
}
