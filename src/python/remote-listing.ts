import { OciPloneError } from '../errors.ts';
import type { HttpResponse } from '../http/get.ts';
import type { OnProgress } from '../progress.ts';
import { collectBody } from './body.ts';
import { readCache, writeCache } from './cache.ts';
import { stripCredentials } from './credentials.ts';
import { discard } from '../http/get.ts';
import type { Fetcher } from './fetcher.ts';
import type { Listed } from './index-file.ts';
import { isDistributionName } from './index-file.ts';
import type { Listing } from './index-file.ts';
import { ACCEPT, parseSimplePage } from './simple-page.ts';

export interface PageOptions {
  readonly fetcher: Fetcher;
  readonly cacheFolder: string;
  /** For how many milliseconds a page is used again unasked. */
  readonly maxAge: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

interface Page {
  readonly status: 200 | 404;
  /** When it was fetched. */
  readonly at: number;
  readonly etag: string;
  readonly modified: string;
  readonly contentType: string;
  readonly base: string;
}

interface Kept {
  readonly page: Page;
  readonly bytes: Buffer;
}

const LARGEST_PAGE = 128 * 1024 * 1024;

/** An index of PEP 503 and 691 over HTTP. */
export function remoteIndex(address: string, options: PageOptions): Listing {
  const { url } = stripCredentials(address);
  const root = url.endsWith('/') ? url : `${url}/`;
  return { label: url, list: async (project) => readPage(`${root}${project}/`, options) };
}

/**
 * A page of links over HTTP, or the address of a file: find-links. It is read once for all projects. One that cannot be had
 * is told of and is empty, as with zc.buildout: old buildouts name hosts that are gone.
 */
export function remoteLinks(address: string, options: PageOptions, onProgress: OnProgress | undefined): Listing {
  const { url } = stripCredentials(address);
  let page: Promise<readonly Listed[] | null> | undefined;
  const direct = directLink(address);
  const read = async (): Promise<readonly Listed[] | null> =>
    readPage(url, options).catch((error: unknown) => {
      if (!(error instanceof OciPloneError) || error.code === 'ABORTED') throw error;
      onProgress?.({ kind: 'note', text: `find-links: ${error.message}; some distributions may not be found` });
      return null;
    });
  return { label: url, list: async () => (page ??= direct === null ? read() : Promise.resolve([direct])) };
}

function directLink(address: string): Listed | null {
  const page = `<a href="${address.replaceAll('"', '%22')}"></a>`;
  const [listed] = parseSimplePage(Buffer.from(page), 'text/html', address);
  return listed !== undefined && isDistributionName(listed.file) ? listed : null;
}

/** Null for 404: this index does not have the project. */
async function readPage(url: string, options: PageOptions): Promise<readonly Listed[] | null> {
  const { fetcher, cacheFolder, maxAge, now } = options;
  const kept = parseKept(await readCache(cacheFolder, 'pages-1', url));
  if (kept !== null && (fetcher.isOffline || isFresh(kept.page, maxAge, now()))) return listFiles(kept);
  const headers = { accept: ACCEPT, 'accept-encoding': 'gzip', ...(kept === null ? {} : validators(kept.page)) };
  const answer = await fetcher.ask(url, { headers, accepts: [304, 404] }, async (response) =>
    readAnswer(response, now()),
  );
  const current = answer === 'unchanged' ? renewed(kept, url, now()) : answer;
  const files = listFiles(current);
  // Only what can be read is kept.
  await keep(current, url, cacheFolder);
  return files;
}

function renewed(kept: Kept | null, url: string, at: number): Kept {
  if (kept !== null) return { ...kept, page: { ...kept.page, at } };
  throw new OciPloneError('REGISTRY', `${url}: the index answered 304 to a first question`);
}

async function keep({ page, bytes }: Kept, url: string, cacheFolder: string): Promise<void> {
  await writeCache(cacheFolder, 'pages-1', url, [Buffer.from(`${JSON.stringify(page)}\n`), bytes]);
}

function isFresh(page: Page, maxAge: number, now: number): boolean {
  return page.at <= now && now - page.at < maxAge;
}

function validators(page: Page): Readonly<Record<string, string>> {
  if (page.etag !== '') return { 'if-none-match': page.etag };
  return page.modified === '' ? {} : { 'if-modified-since': page.modified };
}

async function readAnswer(response: HttpResponse, at: number): Promise<Kept | 'unchanged'> {
  const { status, headers, url } = response;
  if (status === 304) {
    await discard(response.body);
    return 'unchanged';
  }
  const page = {
    at,
    etag: headers['etag'] ?? '',
    modified: headers['last-modified'] ?? '',
    contentType: headers['content-type'] ?? '',
    base: stripCredentials(url).url,
  };
  if (status === 404) {
    await discard(response.body);
    return { page: { ...page, status: 404 }, bytes: Buffer.alloc(0) };
  }
  return { page: { ...page, status: 200 }, bytes: await collectBody(response, LARGEST_PAGE) };
}

function listFiles({ page, bytes }: Kept): readonly Listed[] | null {
  return page.status === 404 ? null : parseSimplePage(bytes, page.contentType, page.base);
}

/** The first line says what the page was, the rest is the page. */
function parseKept(bytes: Buffer | null): Kept | null {
  const end = bytes?.indexOf(10) ?? -1;
  if (bytes === null || end === -1) return null;
  try {
    const head: unknown = JSON.parse(bytes.toString('utf8', 0, end));
    return isPage(head) ? { page: head, bytes: bytes.subarray(end + 1) } : null;
  } catch {
    return null;
  }
}

function isPage(head: unknown): head is Page {
  if (typeof head !== 'object' || head === null) return false;
  const { status, at, etag, modified, contentType, base }: Readonly<Record<string, unknown>> = { ...head };
  return (
    (status === 200 || status === 404) &&
    typeof at === 'number' &&
    [etag, modified, contentType, base].every((value) => typeof value === 'string')
  );
}
