import { createHash } from 'node:crypto';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { openHttp } from '../../src/http/client.ts';
import type { OnProgress } from '../../src/progress.ts';
import { type PackageIndex, type PackageIndexOptions, openPackageIndex } from '../../src/python/package-index.ts';
import { type ResolveOptions, resolveWorkingSet } from '../../src/python/resolve.ts';
import { DEFAULT_TARGET } from '../../src/python/target.ts';
import type { Wanted, WorkingSet } from '../../src/python/working-set.ts';
import { listen } from '../support/fault-registry.ts';
import { scratch } from '../support/scratch.ts';
import { END, entry } from '../support/tars.ts';

/** A file of an index, and what its page says of it. */
export interface Distribution {
  readonly name: string;
  readonly file: string;
  readonly bytes: Buffer;
  readonly metadata: Buffer;
  readonly requiresPython?: string;
  readonly yanked?: string;
}

export interface Described {
  readonly requires?: readonly string[];
  readonly extras?: readonly string[];
  readonly requiresPython?: string;
  readonly yanked?: string;
  /** Of a wheel's name; `py3-none-any` by default. */
  readonly tag?: string;
  /** In place of METADATA or PKG-INFO. */
  readonly metadata?: string | Buffer;
  /** Further files of the archive. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export function metadataText(name: string, version: string, described: Described = {}): string {
  const { requires = [], extras = [], requiresPython } = described;
  return [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version}`,
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...extras.map((extra) => `Provides-Extra: ${extra}`),
    ...requires.map((line) => `Requires-Dist: ${line}`),
    '',
    'The description: it is no field.',
    '',
  ].join('\n');
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function wheel(name: string, version: string, described: Described = {}): Distribution {
  const stem = `${name.replaceAll(/[-.]+/g, '_')}-${version}`;
  const metadata = Buffer.from(described.metadata ?? metadataText(name, version, described));
  const [python = '', abi = '', machine = ''] = (described.tag ?? 'py3-none-any').split('-').slice(-3);
  const files = {
    ...described.files,
    [`${stem}.dist-info/WHEEL`]: `Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: ${python}-${abi}-${machine}\n`,
    [`${stem}.dist-info/RECORD`]: '',
    [`${stem}.dist-info/METADATA`]: metadata,
  };
  const entries = Object.entries(files).map(([path, content]): [string, Uint8Array] => [path, Buffer.from(content)]);
  const file = `${stem}-${described.tag ?? 'py3-none-any'}.whl`;
  return distribution(name, file, Buffer.from(zipSync(Object.fromEntries(entries))), metadata, described);
}

/** As setuptools makes it: PKG-INFO of an old version, requires.txt where `files` has one. */
export function sdist(name: string, version: string, described: Described = {}): Distribution {
  const stem = `${name}-${version}`;
  const metadata = Buffer.from(described.metadata ?? metadataText(name, version).replace('2.1', '1.1'));
  const files = { 'PKG-INFO': metadata, ...described.files };
  const bytes = gzipSync(tar(Object.entries(files).map(([path, content]) => [`${stem}/${path}`, content])));
  return distribution(name, `${stem}.tar.gz`, bytes, metadata, described);
}

export function tar(files: readonly (readonly [string, string | Buffer])[]): Buffer {
  return Buffer.concat([...files.map(([name, content]) => entry({ name, content })), END]);
}

function distribution(
  name: string,
  file: string,
  bytes: Buffer,
  metadata: Buffer,
  { requiresPython, yanked }: Described,
): Distribution {
  return {
    name,
    file,
    bytes,
    metadata,
    ...(requiresPython === undefined ? {} : { requiresPython }),
    ...(yanked === undefined ? {} : { yanked }),
  };
}

/** Writes files into a folder. Gives its path. */
export function wheelhouse(t: TestContext, distributions: readonly Distribution[]): string {
  const folder = scratch(t);
  for (const { file, bytes } of distributions) writeFileSync(join(folder, file), bytes);
  return folder;
}

/** What goes wrong with a request, or null. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface IndexOptions {
  readonly html?: boolean;
  /** Whether `.metadata` stands beside a wheel; `promised` is a page that says so, and 404. */
  readonly metadata?: boolean | 'promised';
  readonly ranges?: boolean;
  readonly hashes?: boolean;
  readonly sizes?: boolean;
  /** `user:password` that are asked for. */
  readonly login?: string;
  /** For how many milliseconds a path waits. */
  readonly delay?: (path: string) => number;
  /** Answers itself, or gives false. */
  readonly fault?: Fault;
}

export interface IndexDouble {
  /** The index, with a slash. */
  readonly url: string;
  readonly host: string;
  /** `METHOD path range`, in order. */
  readonly asked: string[];
  readonly sent: IncomingMessage['headers'][];
}

/** An index on loopback, with the switches that real ones differ by. */
export async function startIndex(
  t: TestContext,
  distributions: readonly Distribution[],
  options: IndexOptions = {},
): Promise<IndexDouble> {
  const asked: string[] = [];
  const sent: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ''}`.trim());
    sent.push(request.headers);
    if (options.fault?.(request, response) === true) return;
    setTimeout(answer, options.delay?.(request.url ?? '') ?? 0, request, response, distributions, options);
  });
  const host = await listen(server);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://${host}/simple/`, host, asked, sent };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  distributions: readonly Distribution[],
  options: IndexOptions,
): void {
  const basic = `Basic ${Buffer.from(options.login ?? '').toString('base64')}`;
  if (options.login !== undefined && request.headers.authorization !== basic) return end(response, 401, '');
  const [, kind, name = ''] = decodeURIComponent(request.url ?? '').split('/');
  if (kind === 'simple') {
    const own = distributions.filter((one) => canonical(one.name) === name);
    if (own.length === 0) return end(response, 404, 'no such project');
    const page = options.html === true ? htmlPage(own, options) : jsonPage(own, options);
    response.setHeader('content-type', options.html === true ? 'text/html' : 'application/vnd.pypi.simple.v1+json');
    return end(response, 200, page);
  }
  const one = distributions.find(({ file }) => file === name || `${file}.metadata` === name);
  if (one === undefined) return end(response, 404, 'no such file');
  if (name.endsWith('.metadata')) return end(response, options.metadata === true ? 200 : 404, one.metadata);
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (options.ranges === false || from + to === '') return end(response, 200, one.bytes);
  const size = one.bytes.length;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' ? size - 1 : Math.min(size - 1, Number(to));
  response.setHeader('content-range', `bytes ${start}-${last}/${size}`);
  return end(response, 206, one.bytes.subarray(start, last + 1));
}

function end(response: ServerResponse, status: number, body: string | Buffer): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body);
}

function canonical(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}

function jsonPage(own: readonly Distribution[], options: IndexOptions): string {
  const files = own.map(({ file, bytes, metadata, requiresPython, yanked }) => ({
    filename: file,
    url: `../../files/${file}`,
    hashes: options.hashes === false ? {} : { sha256: sha256(bytes) },
    ...(options.sizes === false ? {} : { size: bytes.length }),
    ...(requiresPython === undefined ? {} : { 'requires-python': requiresPython }),
    yanked: yanked ?? false,
    'core-metadata': options.metadata === undefined ? false : { sha256: sha256(metadata) },
  }));
  return JSON.stringify({ meta: { 'api-version': '1.1' }, name: 'x', files });
}

function htmlPage(own: readonly Distribution[], options: IndexOptions): string {
  const links = own.map(({ file, bytes, metadata, requiresPython, yanked }) => {
    const hash = options.hashes === false ? '' : `#sha256=${sha256(bytes)}`;
    const python = requiresPython === undefined ? '' : ` data-requires-python="${requiresPython.replace('<', '&lt;')}"`;
    const core = options.metadata === undefined ? '' : ` data-core-metadata="sha256=${sha256(metadata)}"`;
    const pulled = yanked === undefined ? '' : ` data-yanked="${yanked}"`;
    return `<a href="../../files/${file}${hash}"${python}${core}${pulled}>${file}</a><br/>`;
  });
  return `<!DOCTYPE html><html><body>${links.join('\n')}</body></html>`;
}

export interface Opened {
  readonly index: PackageIndex;
  readonly cacheFolder: string;
  readonly waits: number[];
  readonly notes: string[];
  readonly onProgress: OnProgress;
}

export interface Places {
  readonly indexes?: readonly string[];
  readonly findLinks?: readonly string[];
}

/** Opens places with a cache of their own, until the test ends. Waits are noted and not waited for. */
export function openPlaces(t: TestContext, places: Places, options: Partial<PackageIndexOptions> = {}): Opened {
  const http = openHttp({ env: {} });
  t.after(() => http.close());
  const cacheFolder = options.cacheFolder ?? scratch(t);
  const waits: number[] = [];
  const notes: string[] = [];
  const onProgress: OnProgress = (event) => event.kind === 'note' && notes.push(event.text);
  const location = { indexes: places.indexes ?? [], findLinks: places.findLinks ?? [] };
  const index = openPackageIndex(location, {
    get: http.get,
    baseFolder: cacheFolder,
    cacheFolder,
    now: () => 1_000_000,
    onProgress,
    pause: async (milliseconds) => void waits.push(milliseconds),
    ...options,
  });
  return { index, cacheFolder, waits, notes, onProgress };
}

export function wanted(requirements: readonly string[], more: Partial<Wanted> = {}): Wanted {
  return { requirements, pins: new Map(), preferFinal: true, allowPicked: true, target: DEFAULT_TARGET, ...more };
}

/** Resolves out of a wheelhouse. */
export async function resolveFrom(
  t: TestContext,
  distributions: readonly Distribution[],
  what: Wanted,
  options: ResolveOptions = {},
): Promise<WorkingSet> {
  const { index } = openPlaces(t, { findLinks: [wheelhouse(t, distributions)] });
  return resolveWorkingSet(what, index, options);
}

/** `name version` of each. */
export function names(set: WorkingSet): readonly string[] {
  return set.distributions.map(({ name, version }) => `${name} ${version}`);
}
