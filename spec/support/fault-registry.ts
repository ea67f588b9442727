import { createHash, randomUUID } from 'node:crypto';
import { type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, createServer } from 'node:http';
import type { Server } from 'node:net';

/** One request that came in, and the status that went out; 0 where the connection was broken instead. */
export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly status: number;
}

export interface Answer {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
}

/** What goes wrong: an answer of its own, a broken connection before the body is read, or null for nothing. */
export type Fault = (request: {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
}) => Answer | 'reset' | null;

export interface FaultRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly exchanges: readonly Exchange[];
  /** What was stored, by digest. */
  readonly blobs: ReadonlyMap<string, Buffer>;
  /** What was stored, by `repository:tag` and `repository:digest`. */
  readonly manifests: ReadonlyMap<string, Buffer>;
  stop(): Promise<void>;
}

/**
 * The part of the distribution API that a push meets, in memory, on a free port of 127.0.0.1, for faults that a real
 * registry does not make. `spec/registry/double.spec.ts` holds it to what the real one answers.
 */
export async function startFaultRegistry(fault: Fault = () => null): Promise<FaultRegistry> {
  const exchanges: Exchange[] = [];
  const store: Store = { blobs: new Map(), manifests: new Map() };
  const server = createServer((request, response) => {
    handle(request, response, fault, store).then(
      (exchange) => exchanges.push(exchange),
      () => response.destroy(),
    );
  });
  return {
    host: await listen(server),
    exchanges,
    ...store,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Listens on a free port of 127.0.0.1, and nowhere else; gives host and port. */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return `127.0.0.1:${address.port}`;
}

interface Store {
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, Buffer>;
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  fault: Fault,
  store: Store,
): Promise<Exchange> {
  const { method = '', url: path = '', headers } = request;
  const url = new URL(path, `http://${headers.host ?? ''}`);
  const made = fault({ method, url, headers });
  if (made === 'reset') {
    request.socket.resetAndDestroy();
    return { method, path, headers, body: Buffer.alloc(0), status: 0 };
  }
  const body = await read(request);
  const { status, headers: sent = {}, body: text = '' } = made ?? respond(method, url, headers, body, store);
  response.writeHead(status, { 'docker-distribution-api-version': 'registry/2.0', ...sent }).end(text);
  return { method, path, headers, body, status };
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function respond(method: string, url: URL, headers: Exchange['headers'], body: Buffer, store: Store): Answer {
  if (url.pathname === '/v2/') return { status: 200, body: '{}' };
  const [, repository = '', kind, name = ''] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
  if (kind === 'manifests' && method === 'PUT') return putManifest(repository, name, headers, body, store);
  if (kind === 'blobs' && method === 'HEAD') return headBlob(name, store);
  if (kind === 'blobs' && method === 'POST' && name === 'uploads/') {
    const state = Buffer.from(randomUUID()).toString('base64');
    const location = `${url.origin}${url.pathname}${randomUUID()}?_state=${encodeURIComponent(state)}`;
    return { status: 202, headers: { location, range: '0-0', 'content-length': 0 } };
  }
  if (kind === 'blobs' && method === 'PUT') return putBlob(url, body, store);
  return problem(404, 'UNSUPPORTED', 'this double knows pushes only');
}

function headBlob(digest: string, store: Store): Answer {
  const blob = store.blobs.get(digest);
  if (blob === undefined) return { status: 404 };
  return { status: 200, headers: { 'content-length': blob.length, 'docker-content-digest': digest } };
}

function putBlob(url: URL, body: Buffer, store: Store): Answer {
  const digest = url.searchParams.get('digest') ?? '';
  if (digest !== sha256(body)) return problem(400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
  store.blobs.set(digest, body);
  return { status: 201, headers: { 'docker-content-digest': digest, 'content-length': 0 } };
}

function putManifest(
  repository: string,
  name: string,
  headers: Exchange['headers'],
  body: Buffer,
  store: Store,
): Answer {
  const manifest: unknown = JSON.parse(body.toString('utf8'));
  const named = JSON.stringify(manifest).match(/sha256:[0-9a-f]{64}/g) ?? [];
  if (named.some((digest) => !store.blobs.has(digest)))
    return problem(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry');
  if (headers['content-type']?.startsWith('application/vnd.') !== true)
    return problem(400, 'MANIFEST_INVALID', 'manifest invalid');
  const digest = sha256(body);
  store.manifests.set(`${repository}:${name}`, body).set(`${repository}:${digest}`, body);
  return { status: 201, headers: { 'docker-content-digest': digest, 'content-length': 0 } };
}

/** An error as a registry words it. */
export function problem(status: number, code: string, message: string): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: `${JSON.stringify({ errors: [{ code, message, detail: null }] })}\n`,
  };
}

function sha256(body: Buffer): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}
