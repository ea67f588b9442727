import type { Listed } from './index-file.ts';

/** A place where files of projects are listed: an index, a folder, a page of links. */
export interface Listing {
  /** For messages; without credentials. */
  readonly label: string;
  /** What it lists for a project, by canonical name, maybe among files of other projects; null where it does not know it. */
  readonly list: (project: string) => Promise<readonly Listed[] | null>;
}
