import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { type ConnectionOptions, Connections, type Exchanged } from './connections.ts';
import { discard, type HttpGet, type HttpResponse } from './get.ts';
import { headersFor, isRedirect, MAX_HOPS, redirectTarget, tooManyHops } from './redirect.ts';

export interface HttpClient {
  readonly get: HttpGet;
  /** Closes all connections. */
  readonly close: () => Promise<void>;
}

/**
 * Opens a client for pages and files. Nothing is asked yet.
 *
 * @throws USAGE for a proxy that is none; INPUT_ABSENT, INPUT_MALFORMED, LOCAL_IO for certificates
 */
export function openHttp(options: ConnectionOptions): HttpClient {
  const connections = new Connections(options);
  const get: HttpGet = async (address, { headers = {}, signal } = {}) => {
    let url = new URL(address);
    let sent = { ...headers, ...authorizationOf(url) };
    for (let hop = 0; ; hop += 1) {
      url.username = '';
      url.password = '';
      url.hash = '';
      const answer = await connections.exchange({ method: 'GET', url, headers: sent, signal });
      if (!isRedirect(answer.status, 'GET'))
        return responseOf(answer, url, sent, (error) => connections.fail(url, error, signal));
      void discard(answer.body);
      if (hop === MAX_HOPS) throw tooManyHops(url);
      const to = redirectTarget(url, headerOf(answer, 'location'));
      sent = headersFor(url, to, sent);
      url = to;
    }
  };
  return { get, close: async () => connections.close() };
}

/** HTTP Basic (RFC 7617) with the user and password of a URL. */
function authorizationOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {};
  const text = `${decode(username)}:${decode(password)}`;
  return { authorization: `Basic ${Buffer.from(text, 'utf8').toString('base64')}` };
}

/** Bytes that are percent-encoded; a stray `%` stands for itself. */
function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (bytes) => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'));
}

function responseOf(
  answer: Exchanged,
  url: URL,
  sent: Readonly<Record<string, string>>,
  fail: (error: unknown) => never,
): HttpResponse {
  const names = Object.keys(answer.headers);
  const headers = Object.fromEntries(names.map((name) => [name, headerOf(answer, name)]));
  // Undone only where it was asked for: some servers say of a .tar.gz that gzip is its encoding.
  const packed = sent['accept-encoding'] === 'gzip' && headers['content-encoding'] === 'gzip';
  const { 'content-encoding': _, 'content-length': __, ...unpacked } = headers;
  const body = packed ? pipeline(answer.body, createGunzip(), () => undefined) : answer.body;
  return {
    status: answer.status,
    headers: packed ? unpacked : headers,
    url: url.href,
    body: { [Symbol.asyncIterator]: () => parts(body, fail) },
  };
}

async function* parts(body: AsyncIterable<Uint8Array>, fail: (error: unknown) => never): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    fail(error);
  }
}

function headerOf({ headers }: Exchanged, name: string): string | undefined {
  const value = headers[name];
  return value === undefined || typeof value === 'string' ? value : value.join(', ');
}
