import { posix } from 'node:path';
import { type Mapping, isWithin, sortedMappings } from './mapping.ts';

/** What a plan asks of the folder that it is made for. Paths are relative to it, `''` is the folder itself. */
export interface InstanceSource {
  /** The folder's names: as given, and without links. Absolute. */
  readonly names: readonly string[];
  readonly kind: (path: string) => 'file' | 'folder' | 'link' | null;
  /** The text of a file. */
  readonly read: (path: string) => string;
  /** Names in a folder, sorted. */
  readonly list: (path: string) => readonly string[];
  /** Where a link points to, as it is written. */
  readonly target: (path: string) => string;
}

/** The names by which an instance's files call the folder that they lie in, and where it is in a container. */
export class FolderNames {
  readonly mappings: readonly Mapping[];
  readonly #names: readonly string[];

  /** `data` is where the folder `var` is in the container, where that is elsewhere. */
  constructor(
    names: Iterable<string>,
    { mount, data = null }: { readonly mount: string; readonly data?: string | null },
  ) {
    this.#names = [...new Set(names)].sort((one, other) => other.length - one.length);
    this.mappings = sortedMappings(
      this.#names.flatMap((from) => [
        { from, to: mount },
        ...(data === null ? [] : [{ from: posix.join(from, 'var'), to: data }]),
      ]),
    );
  }

  /** Relative to the folder; null for what lies elsewhere. */
  local(path: string): string | null {
    const name = this.#names.find((folder) => isWithin(path, folder));
    return name === undefined ? null : posix.normalize(path.slice(name.length + 1)).replace(/^\.$|\/$/, '');
  }
}
