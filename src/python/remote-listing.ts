import { OciPloneError } from '../errors.ts';
import type { HttpResponse } from '../http/get.ts';
import { collectBody } from './body.ts';
import { readCache, writeCache } from './cache.ts';
import { stripCredentials } from './credentials.ts';
import { discard } from './fetcher.ts';
import type { Fetcher } from './fetcher.ts';
import type { Listed } from './index-file.ts';
import { isDistributionName } from './index-file.ts';
import type { Listing } from './listing.ts';
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

type Fetched = { readonly page: Page; readonly text: string } | 'unchanged';

const LARGEST_PAGE = 128 * 1024 * 1024;

/** An index of PEP 503 and 691 over HTTP. */
export function remoteIndex(address: string, options: PageOptions): Listing {
  const { url } = stripCredentials(address);
  const root = url.endsWith('/') ? url : `${url}/`;
  return { label: url, list: async (project, urgent) => readPage(`${root}${project}/`, options, urgent) };
}

/** A page of links over HTTP, or the address of a file: find-links. It is read once for all projects. */
export function remoteLinks(address: string, options: PageOptions): Listing {
  const { url } = stripCredentials(address);
  let page: Promise<readonly Listed[] | null> | undefined;
  const direct = directLink(address);
  return {
    label: url,
    list: async (_project, urgent) =>
      (page ??= direct === null ? readPage(url, options, urgent) : Promise.resolve([direct])),
  };
}

function directLink(address: string): Listed | null {
  const page = `<a href="${address.replaceAll('"', '%22')}"></a>`;
  const [listed] = parseSimplePage(page, 'text/html', address);
  return listed !== undefined && isDistributionName(listed.file) ? listed : null;
}

/** Null for 404: this index does not have the project. */
async function readPage(url: string, options: PageOptions, urgent: boolean): Promise<readonly Listed[] | null> {
  const { fetcher, cacheFolder, maxAge, now } = options;
  const kept = parseKept(await readCache(cacheFolder, 'pages-1', url));
  if (kept !== null && (fetcher.isOffline || isFresh(kept.page, maxAge, now()))) return listFiles(kept.page, kept.text);
  const headers = { accept: ACCEPT, ...(kept === null ? {} : validators(kept.page)) };
  const fetched = await fetcher.ask(url, { headers, accepts: [304, 404], urgent }, async (response) =>
    readAnswer(response, now()),
  );
  if (fetched !== 'unchanged') {
    const files = listFiles(fetched.page, fetched.text);
    await writeCache(cacheFolder, 'pages-1', url, `${JSON.stringify(fetched.page)}\n${fetched.text}`);
    return files;
  }
  if (kept === null) throw new OciPloneError('REGISTRY', `${url}: the index answered 304 to a first question`);
  await writeCache(cacheFolder, 'pages-1', url, `${JSON.stringify({ ...kept.page, at: now() })}\n${kept.text}`);
  return listFiles(kept.page, kept.text);
}

function isFresh(page: Page, maxAge: number, now: number): boolean {
  return page.at <= now && now - page.at < maxAge;
}

function validators(page: Page): Readonly<Record<string, string>> {
  if (page.etag !== '') return { 'if-none-match': page.etag };
  return page.modified === '' ? {} : { 'if-modified-since': page.modified };
}

async function readAnswer(response: HttpResponse, at: number): Promise<Fetched> {
  const { status, headers, url } = response;
  if (status === 304) {
    await discard(response);
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
    await discard(response);
    return { page: { ...page, status: 404 }, text: '' };
  }
  return { page: { ...page, status: 200 }, text: (await collectBody(response, LARGEST_PAGE)).toString('utf8') };
}

function listFiles(page: Page, text: string): readonly Listed[] | null {
  return page.status === 404 ? null : parseSimplePage(text, page.contentType, page.base);
}

/** The first line says what the page was, the rest is the page. */
function parseKept(bytes: Buffer | null): { readonly page: Page; readonly text: string } | null {
  const end = bytes?.indexOf(10) ?? -1;
  if (bytes === null || end === -1) return null;
  try {
    const head: unknown = JSON.parse(bytes.toString('utf8', 0, end));
    return isPage(head) ? { page: head, text: bytes.toString('utf8', end + 1) } : null;
  } catch {
    return null;
  }
}

function isPage(head: unknown): head is Page {
  if (typeof head !== 'object' || head === null) return false;
  const { status, at, etag, modified, contentType, base } = head as Readonly<Record<string, unknown>>;
  return (
    (status === 200 || status === 404) &&
    typeof at === 'number' &&
    [etag, modified, contentType, base].every((value) => typeof value === 'string')
  );
}
