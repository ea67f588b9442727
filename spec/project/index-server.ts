import { createHash } from 'node:crypto';
import { type IncomingMessage, createServer } from 'node:http';
import type { TestContext } from 'node:test';
import { listen } from '../support/fault-registry.ts';

/** One file of an index. */
export interface Served {
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What the page says, where that is not the truth. */
  readonly sha256?: string;
  readonly yanked?: string;
  /** Ends the connection after that many bytes. */
  readonly truncateAt?: number;
}

export interface IndexOptions {
  /** In place of every page. */
  readonly page?: { readonly type: string; readonly body: string };
  /** `user:password` that every request has to have. */
  readonly credentials?: string;
  readonly seen?: IncomingMessage[];
}

/** A package index on loopback (PEP 691), files by project; no ranges, no metadata of their own. Gives its address. */
export async function serveIndex(
  t: Pick<TestContext, 'after'>,
  projects: Readonly<Record<string, readonly Served[]>>,
  { page, credentials, seen }: IndexOptions = {},
): Promise<string> {
  const server = createServer((request, response) => {
    seen?.push(request);
    const wanted = credentials === undefined ? undefined : `Basic ${btoa(credentials)}`;
    if (request.headers.authorization !== wanted) return void response.writeHead(401).end();
    const [, kind = '', name = '', file = ''] = (request.url ?? '').split('/');
    const files = projects[name];
    if (files === undefined) return void response.writeHead(404).end();
    if (kind === 'simple') {
      const type = page?.type ?? 'application/vnd.pypi.simple.v1+json';
      return void response
        .writeHead(200, { 'content-type': type })
        .end(page?.body ?? JSON.stringify(pageOf(name, files)));
    }
    const served = files.find((one) => one.file === decodeURIComponent(file));
    if (served === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': served.bytes.length });
    if (served.truncateAt === undefined) return void response.end(served.bytes);
    response.write(served.bytes.subarray(0, served.truncateAt), () => response.destroy());
  });
  t.after(() => server.close());
  return `http://${await listen(server)}/simple`;
}

function pageOf(name: string, files: readonly Served[]): unknown {
  return {
    meta: { 'api-version': '1.1' },
    name,
    files: files.map(({ file, bytes, sha256, yanked }) => ({
      filename: file,
      url: `/files/${name}/${encodeURIComponent(file)}`,
      hashes: { sha256: sha256 ?? createHash('sha256').update(bytes).digest('hex') },
      ...(yanked === undefined ? {} : { yanked }),
    })),
  };
}
