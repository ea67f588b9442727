import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import type { HttpGet } from '../http/get.ts';
import type { OnProgress } from '../progress.ts';
import { OriginCredentials } from './credentials.ts';
import { digestFile, downloadFile } from './download.ts';
import { pause } from '../http/retry-timing.ts';
import { Fetcher } from './fetcher.ts';
import { projectsOf, Recognizer } from './index-file.ts';
import type { FileHash, IndexFile, Listed, Listing } from './index-file.ts';
import { localPath } from './index-location.ts';
import type { IndexLocation } from './index-location.ts';
import { localIndex, localLinks } from './local-listing.ts';
import type { CoreMetadata } from './metadata.ts';
import { MetadataReader } from './metadata-reader.ts';
import { inFlight } from './remember.ts';
import { formatSpecifiers } from './specifier.ts';
import type { Specifier } from './specifier.ts';
import { remoteIndex, remoteLinks } from './remote-listing.ts';

/** What is known of a project. */
export interface Project {
  /** Canonical. */
  readonly name: string;
  readonly files: readonly IndexFile[];
  /** Whether it has a file, or an index has a page of it. */
  readonly found: boolean;
  /** Where it has no file: other projects that the folders have files of, by canonical name. */
  readonly others: readonly string[];
}

/** Every place where distributions are looked for, seen as one. What is under way is not asked for twice. */
export interface PackageIndex {
  /** The addresses, without credentials, for messages. */
  readonly labels: readonly string[];
  /** Whether anything of it is asked over the network. */
  readonly isRemote: boolean;
  /** What is listed now, of all versions or of those that fit. It is not held for the next caller: all pages of a Plone would be 60 MB. */
  readonly project: (name: string, specifiers?: readonly Specifier[]) => Promise<Project>;
  readonly metadata: (file: IndexFile) => Promise<CoreMetadata>;
  /** The SHA-256 of a file: as the index tells it, else of the file itself. */
  readonly sha256: (file: IndexFile) => Promise<string>;
  /** Fetches a locked file into a folder, checked, and gives its path. What is there already and is right, stays. */
  readonly download: (locked: LockedFile, folder: string) => Promise<string>;
}

/** A file by what a lock says of it. */
export interface LockedFile {
  readonly file: string;
  readonly url: string;
  readonly sha256: string;
}

export interface PackageIndexOptions {
  readonly get: HttpGet;
  /** What relative paths of folders start from. */
  readonly baseFolder: string;
  /** A folder for pages, metadata and files: `oci-plone` in XDG_CACHE_HOME. */
  readonly cacheFolder: string;
  readonly now: () => number;
  readonly offline?: boolean;
  readonly concurrency?: number;
  /** For how many milliseconds a page is used again without asking; 0 to ask always. */
  readonly maxAge?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Waits for so many milliseconds; only a test has another one. */
  readonly pause?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

// More of them hold more pages of 2 MB at once, and are no faster on two processors.
const CONCURRENCY = 8;
const MAX_AGE = 600_000;

/** Opens the places; nothing is asked before a project is. */
export function openPackageIndex(location: IndexLocation, options: PackageIndexOptions): PackageIndex {
  const { baseFolder, cacheFolder, now, signal, onProgress } = options;
  const fetcher = new Fetcher({
    get: options.get,
    credentials: new OriginCredentials([...location.indexes, ...location.findLinks]),
    offline: options.offline ?? false,
    concurrency: options.concurrency ?? CONCURRENCY,
    signal,
    onProgress,
    pause: options.pause ?? pause,
  });
  const pages = { fetcher, cacheFolder, maxAge: options.maxAge ?? MAX_AGE, now };
  let isRemote = false;
  const listing = (address: string, remote: () => Listing, local: (path: string) => Listing): Listing => {
    const path = localPath(address, baseFolder);
    isRemote ||= path === null;
    return path === null ? remote() : local(path);
  };
  const links = location.findLinks.map((address) =>
    listing(
      address,
      () => remoteLinks(address, pages, onProgress),
      (path) => localLinks(path, onProgress),
    ),
  );
  const indexes = location.indexes.map((address) => listing(address, () => remoteIndex(address, pages), localIndex));
  const reader = new MetadataReader(fetcher, cacheFolder);
  const projects = new Map<string, Promise<Project>>();
  return {
    labels: [...links, ...indexes].map(({ label }) => label),
    isRemote,
    project: async (name, specifiers = []) =>
      inFlight(projects, `${name} ${formatSpecifiers(specifiers)}`, async () =>
        gather(new Recognizer(name, specifiers), name, links, indexes),
      ),
    metadata: async (file) => reader.read(file),
    sha256: async (file) => reader.sha256(file),
    download: async (locked, folder) => download(locked, folder, fetcher),
  };
}

async function gather(
  recognizer: Recognizer,
  name: string,
  links: readonly Listing[],
  indexes: readonly Listing[],
): Promise<Project> {
  const ask = async (listings: readonly Listing[]): Promise<readonly (readonly Listed[] | null)[]> =>
    Promise.all(listings.map(async (listing) => listing.list(name, (file) => recognizer.versionOf(file) !== null)));
  const [loose, pages] = await Promise.all([ask(links), ask(indexes)]);
  // The first place wins: a file of a wheelhouse is nearer than the same one on an index.
  const listed = [...loose, ...pages].flatMap((list) => list ?? []);
  const files = recognizer.all(listed);
  const found = files.length > 0 || pages.some((page) => page !== null);
  return { name, files, found, others: files.length > 0 ? [] : projectsOf(listed) };
}

async function download({ file, url, sha256 }: LockedFile, folder: string, fetcher: Fetcher): Promise<string> {
  if (file !== file.replace(/[/\\\0]/g, '') || /^\.*$/.test(file))
    throw new OciPloneError('INPUT_REFUSED', `${JSON.stringify(file)} cannot be the name of a file`);
  const path = join(folder, file);
  if (await isFile(path)) if ((await digestFile(path)) === sha256) return path;
  const hash: FileHash = { algorithm: 'sha256', value: sha256 };
  await downloadFile({ file, url, hash, size: null }, path, fetcher);
  return path;
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}
