import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { OciPloneError } from '../errors.ts';
import { collectBody } from './body.ts';
import { withFile } from './byte-source.ts';
import { cachePath, readCache, writeCache } from './cache.ts';
import { digestFile, downloadFile } from './download.ts';
import type { Fetcher } from './fetcher.ts';
import { discard } from '../http/get.ts';
import type { IndexFile } from './index-file.ts';
import type { CoreMetadata } from './metadata.ts';
import { pathOf } from './index-location.ts';
import { remember } from './remember.ts';
import { openRanges } from './byte-source.ts';
import { readSdistMetadata } from './sdist.ts';
import { LARGEST_METADATA, parseOwnMetadata, readWheelMetadata } from './wheel.ts';

interface OnDisk {
  readonly path: string;
  readonly sha256: string;
}

/** Reads the metadata of files: as little of each as the index makes possible. */
export class MetadataReader {
  readonly #fetcher: Fetcher;
  readonly #cacheFolder: string;
  readonly #known = new Map<string, Promise<CoreMetadata>>();
  readonly #files = new Map<string, Promise<OnDisk>>();

  constructor(fetcher: Fetcher, cacheFolder: string) {
    this.#fetcher = fetcher;
    this.#cacheFolder = cacheFolder;
  }

  async read(file: IndexFile): Promise<CoreMetadata> {
    return remember(this.#known, file.url, async () =>
      file.kind === 'sdist' ? this.#ofSdist(file) : this.#ofWheel(file),
    );
  }

  async sha256(file: IndexFile): Promise<string> {
    if (file.hash?.algorithm === 'sha256') return file.hash.value;
    return (await this.#whole(file)).sha256;
  }

  async #ofSdist(file: IndexFile): Promise<CoreMetadata> {
    const { path } = await this.#whole(file);
    return readSdistMetadata(path, describe(file));
  }

  async #ofWheel(file: IndexFile): Promise<CoreMetadata> {
    const key = file.hash?.algorithm === 'sha256' ? file.hash.value : null;
    const kept = key === null ? null : await readCache(this.#cacheFolder, 'metadata-1', key);
    const known = kept === null ? null : parseKept(kept, file);
    if (known !== null) return known;
    const bytes = await this.#bytesOfWheel(file);
    const metadata = parseOwnMetadata(bytes, describe(file));
    if (key !== null) await writeCache(this.#cacheFolder, 'metadata-1', key, [bytes]);
    return metadata;
  }

  /** PEP 658 where the index has it, else out of the wheel by ranges, else out of the whole wheel. */
  async #bytesOfWheel(file: IndexFile): Promise<Uint8Array> {
    if (pathOf(file.url) === null && file.hash !== null) {
      const sibling = file.metadata === null ? null : await this.#sibling(file, file.metadata.sha256);
      if (sibling !== null) return sibling;
      const remote = await openRanges(this.#fetcher, file);
      if (remote !== null) return readWheelMetadata(remote);
    }
    const { path } = await this.#whole(file);
    return withFile(path, async (source) => readWheelMetadata({ ...source, name: file.file }));
  }

  /** Null where the index promises a `.metadata` and does not have it. */
  async #sibling(file: IndexFile, sha256: string | null): Promise<Uint8Array | null> {
    const url = new URL(file.url);
    url.pathname += '.metadata';
    const bytes = await this.#fetcher.ask(url.toString(), { accepts: [403, 404] }, async (response) => {
      if (response.status === 200) return collectBody(response, LARGEST_METADATA);
      await discard(response.body);
      return null;
    });
    if (bytes === null || sha256 === null) return bytes;
    const got = createHash('sha256').update(bytes).digest('hex');
    if (got === sha256.toLowerCase()) return bytes;
    throw new OciPloneError('DIGEST_MISMATCH', `${file.file}.metadata: expected sha256:${sha256}, got sha256:${got}`, {
      hint: 'The index serves metadata that it does not name: try again later, or take another index.',
    });
  }

  /** The file itself: where it lies on this machine, or in the cache, by its digest. */
  async #whole(file: IndexFile): Promise<OnDisk> {
    return remember(this.#files, file.url, async () => {
      const own = pathOf(file.url);
      if (own !== null) return { path: own, sha256: await digestFile(own) };
      const path = cachePath(this.#cacheFolder, 'files-1', file.hash?.value ?? file.url);
      if (file.hash?.algorithm === 'sha256') {
        const kept = await digestFile(path).catch(() => null);
        if (kept === file.hash.value) return { path, sha256: kept };
        await rm(path, { force: true });
      }
      return { path, sha256: await downloadFile(file, path, this.#fetcher) };
    });
  }
}

/** What the cache has cannot be of another file, but of a broken disk. */
function parseKept(bytes: Uint8Array, file: IndexFile): CoreMetadata | null {
  try {
    return parseOwnMetadata(bytes, describe(file));
  } catch {
    return null;
  }
}

function describe(file: IndexFile): { readonly name: string; readonly version: string; readonly file: string } {
  return { name: file.name, version: file.version.text, file: file.file };
}
