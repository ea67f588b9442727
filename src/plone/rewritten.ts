import type { Mapping } from './mapping.ts';

/** How the files of an instance are rewritten for a container. */
export interface RewriteOptions {
  /** Longest first (`sortedMappings`). */
  readonly mappings: readonly Mapping[];
  /** `stdout` turns every log file into the standard output. */
  readonly logs: 'files' | 'stdout';
  /** Where the file is, before: absolute, for what it includes beside itself. */
  readonly file: string;
}

export interface Change {
  readonly file: string;
  /** From 1, as in the file before. */
  readonly line: number;
  readonly before: string;
  /** Null for a line that was dropped. */
  readonly after: string | null;
}

export interface Warning {
  readonly file: string;
  readonly line: number | null;
  readonly text: string;
}

/** A path that means nothing in a container. */
export interface Leftover {
  readonly file: string;
  /** Null where it is the target of a link. */
  readonly line: number | null;
  readonly path: string;
}

/**
 * What a path in a configuration stands for, and so what has to be there when Zope starts:
 * - `folder`: the folder itself, which may be empty; `private`: the same, with mode 0700
 * - `parent`: the folder that it lies in, as of a log, a lock, a socket
 * - `tree`: the folder with all it holds, as of products
 * - `config`: another file of ZConfig; `zcml`: another file of ZCML
 * - `other`: what is found there decides
 */
export type NeedRole = 'folder' | 'private' | 'parent' | 'tree' | 'config' | 'zcml' | 'other';

export interface Need {
  readonly role: NeedRole;
  /** Absolute, before. */
  readonly path: string;
  /** Absolute, in the container. */
  readonly target: string;
  readonly line: number;
}

export interface Rewritten {
  readonly text: string;
  readonly changes: readonly Change[];
  readonly warnings: readonly Warning[];
  readonly leftovers: readonly Leftover[];
  /** Of paths that a mapping covers. */
  readonly needs: readonly Need[];
}
