import {
  closeSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { localError, systemCode } from '../errors.ts';
import type { BlobSink } from '../layer/blob.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { ownerIsGone, ownerTag } from './owner.ts';

/** A stage of another machine or container is taken for left behind after this time. */
const ABANDONED_MILLISECONDS = 7 * 24 * 3600 * 1000;

/**
 * A private folder beside the output, on the same file system, in which an image is made before it appears as a whole.
 * It holds `layout/`, whose shape is that of the image layout (image-layout.md).
 */
export class Stage {
  readonly folder: string;
  readonly #blobs: string;
  #count = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.#blobs = join(this.layout, 'blobs', 'sha256');
    mkdirSync(this.#blobs, { recursive: true });
  }

  /** Makes a stage for an output that may or may not be there yet, and removes those that a kill left. */
  static open(output: string): Stage {
    const [parent, prefix] = [dirname(output), `${besidePrefix(output)}-`];
    try {
      removeAbandoned(parent, prefix);
      return new Stage(mkdtempSync(join(parent, `${prefix}${ownerTag()}-`)));
    } catch (error) {
      throw localError(`cannot write beside ${output}`, error);
    }
  }

  /** The image layout in the making. */
  get layout(): string {
    return join(this.folder, 'layout');
  }

  /** Where a blob of this stage is. */
  blobPath(digest: Digest): string {
    return join(this.#blobs, digestHex(digest));
  }

  /** Writes a blob; it gets its name when its digest is known, not before. Without a digest nothing is kept of it. */
  async writeBlob<T extends { readonly digest: Digest | null }>(write: (sink: BlobSink) => Promise<T>): Promise<T> {
    const { path, result } = await this.writeTemporary(write);
    if (result.digest === null) {
      rmSync(path);
      return result;
    }
    try {
      renameSync(path, this.blobPath(result.digest));
    } catch (error) {
      throw localError(`cannot write ${this.blobPath(result.digest)}`, error);
    }
    return result;
  }

  /** Writes a file that is renamed later, and removes it where that fails. */
  async writeTemporary<T>(
    write: (sink: BlobSink) => Promise<T>,
  ): Promise<{ readonly path: string; readonly result: T }> {
    const path = this.temporary();
    try {
      const fd = openSync(path, 'wx', 0o644);
      let isOpen = true;
      try {
        // At once, into the system's own memory: a wait for another thread would cost more.
        const result = await write(async (piece) => {
          // What was under way when something failed must not be written to whatever has this number next.
          if (!isOpen) throw new Error(`${path} is closed`);
          try {
            for (let done = 0; done < piece.length;) done += writeSync(fd, piece, done);
          } catch (error) {
            throw localError(`cannot write ${path}`, error);
          }
        });
        return { path, result };
      } finally {
        isOpen = false;
        closeSync(fd);
      }
    } catch (error) {
      rmSync(path, { force: true });
      throw localError(`cannot write ${path}`, error);
    }
  }

  /** Takes a blob over that lies elsewhere on this machine, by a link where one can be made. Whether it is right is not looked at. */
  adoptBlob(path: string, digest: Digest): void {
    try {
      linkSync(path, this.blobPath(digest));
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return;
      try {
        copyFileSync(path, this.blobPath(digest));
      } catch (failure) {
        throw localError(`cannot copy ${path}`, failure);
      }
    }
  }

  /** Removes a blob of this stage. */
  dropBlob(digest: Digest): void {
    rmSync(this.blobPath(digest), { force: true });
  }

  writeFile(path: string, content: Uint8Array | string): void {
    try {
      const temporary = this.temporary();
      writeFileSync(temporary, content, { flag: 'wx' });
      renameSync(temporary, path);
    } catch (error) {
      throw localError(`cannot write ${path}`, error);
    }
  }

  temporary(): string {
    return join(this.folder, `temporary-${++this.#count}`);
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What the name of every lock and temporary folder of an output begins with. */
export function besidePrefix(output: string): string {
  return `.${basename(output)}.oci-plone`;
}

function removeAbandoned(parent: string, prefix: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    const [owner = ''] = name.slice(prefix.length).split('-');
    if (ownerIsGone(owner) || isOld(path)) rmSync(path, { recursive: true, force: true });
  }
}

function isOld(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > ABANDONED_MILLISECONDS;
}
