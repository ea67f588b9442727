import { OciPloneError } from '../errors.ts';
import type { FileFilter, FileHash, Listed } from './index-file.ts';
import { parseLinks } from './html-links.ts';
import { splitJsonPage } from './json-page.ts';

/** What is asked of an index (PEP 691), the best form first. */
export const ACCEPT: string =
  'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

const FILE_NAME = /"filename"\s*:\s*"([^"\\]+)"/;

const ALGORITHMS: readonly FileHash['algorithm'][] = ['sha256', 'sha512', 'sha384', 'sha224', 'sha1', 'md5'];

/**
 * The files on a project's page, JSON or HTML. An index may say one and serve the other: the text decides.
 *
 * @param base - the page's address after redirects: file addresses may be relative to it
 * @param isWanted - leaves out files by their name
 * @throws INPUT_MALFORMED
 */
export function parseSimplePage(
  page: Buffer,
  contentType: string,
  base: string,
  isWanted: FileFilter = () => true,
): readonly Listed[] {
  const start = page.toString('utf8', 0, 1024).trimStart().slice(0, 1);
  if (start === '{') return parseJson(page, base, isWanted);
  if (start === '<' || /html/i.test(contentType))
    return parseHtml(page.toString('utf8'), base).filter(({ file }) => isWanted(file));
  throw malformed(base, 'it is neither JSON nor HTML');
}

function parseHtml(text: string, base: string): readonly Listed[] {
  const { links, base: inner } = parseLinks(text);
  return links.flatMap(({ href, attributes, text: label }) => {
    const url = absolute(href, absolute(inner ?? '', base)?.toString() ?? base);
    if (url === null) return [];
    const file = fileName(url) || label;
    const hash = parseFragment(url.hash);
    const metadata = attributes.get('data-core-metadata') ?? attributes.get('data-dist-info-metadata');
    return [
      {
        file,
        url: plain(url),
        hash,
        requiresPython: attributes.get('data-requires-python') || null,
        yanked: attributes.get('data-yanked') ?? null,
        size: null,
        metadata: metadata === undefined ? null : { sha256: /^sha256=([0-9a-f]{64})$/i.exec(metadata)?.[1] ?? null },
      },
    ];
  });
}

function parseFragment(fragment: string): FileHash | null {
  const [, name = '', value = ''] = /[#&](sha\d+|md5)=([0-9a-f]+)/i.exec(fragment) ?? [];
  return hashOf({ [name.toLowerCase()]: value });
}

function parseJson(page: Buffer, base: string, isWanted: FileFilter): readonly Listed[] {
  const { head, items } = splitJsonPage(page);
  const version = field(field(parseText(head, base), 'meta'), 'api-version');
  if (typeof version === 'string' && !version.startsWith('1.')) throw malformed(base, `it is of version ${version}`);
  if (items === null) throw malformed(base, 'its JSON has no list of files');
  const files: Listed[] = [];
  for (const item of items) {
    // Most items can be passed over unread; one whose name is not plain is read.
    const name = FILE_NAME.exec(item)?.[1];
    const listed = name === undefined || isWanted(name) ? parseFile(parseText(item, base), base) : null;
    if (listed !== null) files.push(listed);
  }
  return files;
}

function parseText(text: string, base: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed(base, 'its JSON ends too early, or is none');
  }
}

function parseFile(item: unknown, base: string): Listed | null {
  const file = textField(item, 'filename');
  const address = textField(item, 'url');
  const url = address === null ? null : plainAddress(address, base);
  if (file === null || url === null) return null;
  const yanked = field(item, 'yanked');
  const size = field(item, 'size');
  const metadata =
    field(item, 'core-metadata') ?? field(item, 'dist-info-metadata') ?? field(item, 'data-dist-info-metadata');
  return {
    file,
    url,
    hash: hashOf(field(item, 'hashes')),
    requiresPython: textField(item, 'requires-python'),
    yanked: yanked === true ? '' : typeof yanked === 'string' ? yanked : null,
    size: typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? size : null,
    metadata: metadata === undefined || metadata === false ? null : { sha256: textField(metadata, 'sha256') },
  };
}

function hashOf(hashes: unknown): FileHash | null {
  for (const algorithm of ALGORITHMS) {
    const value = textField(hashes, algorithm);
    if (value !== null && /^[0-9a-f]{32,128}$/i.test(value)) return { algorithm, value: value.toLowerCase() };
  }
  return null;
}

function field(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || !Object.hasOwn(object, name)) return undefined;
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

function textField(object: unknown, name: string): string | null {
  const value = field(object, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Only a page that lies on this machine may name files that do. */
function absolute(href: string, base: string): URL | null {
  const url = URL.canParse(href, base) ? new URL(href, base) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  return url?.protocol === 'file:' && base.startsWith('file:') ? url : null;
}

/** Most addresses are plain as they stand, and there are thousands. */
function plainAddress(href: string, base: string): string | null {
  if (/^https?:\/\/[a-z0-9.:-]+\/[a-z0-9._~/+-]*$/i.test(href) && !href.includes('/..')) return href;
  const url = absolute(href, base);
  return url === null ? null : plain(url);
}

/** A page may carry the reader's credentials in its links; they are not kept. */
function plain(url: URL): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  copy.hash = '';
  return copy.toString();
}

function fileName(url: URL): string {
  const last = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}

function malformed(page: string, why: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `the page ${page} is not one of a package index: ${why}`, {
    hint: 'Check the address given by --index, or by the option index.',
  });
}
