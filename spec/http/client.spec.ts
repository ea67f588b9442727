import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type ServerResponse, createServer } from 'node:http';
import { type Socket, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type HttpClient, openHttp } from '../../src/http/client.ts';
import type { ConnectionOptions } from '../../src/http/connections.ts';
import type { HttpResponse } from '../../src/http/get.ts';
import { hasCode } from '../support/codes.ts';
import { listen } from '../support/fault-registry.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { certificate, serve, serveTls } from './server.ts';

function open(t: TestContext, options: Partial<ConnectionOptions> = {}): HttpClient {
  const client = openHttp({ env: {}, ...options });
  t.after(() => client.close());
  return client;
}

async function text({ body }: HttpResponse): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('get', () => {
  it('gives any status, headers in lower case, and the body as it comes', async (t) => {
    const at = await serve(t, (request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { 'X-Two': ['a', 'b'] }).end('body');
    });
    const { get } = open(t);
    for (const status of [200, 204, 206, 304, 400, 404, 500]) {
      const answer = await get(`${at}/${status}`);
      assert.deepEqual([answer.status, answer.headers['x-two'], answer.url], [status, 'a, b', `${at}/${status}`]);
      assert.equal(await text(answer), status === 204 || status === 304 ? '' : 'body');
    }
  });

  it('uses a connection again', async (t) => {
    const sockets = new Set<Socket>();
    const at = await serve(t, (request, response) => {
      sockets.add(request.socket);
      response.end('x');
    });
    const { get } = open(t);
    for (let turn = 0; turn < 10; turn += 1) await text(await get(`${at}/${turn}`));
    // A second one where the first is not free again at the next question.
    assert.ok(sockets.size <= 2, String(sockets.size));
  });

  it('undoes gzip where it asked for it, and leaves it where it did not', async (t) => {
    const packed = gzipSync('page');
    const at = await serve(t, (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    });
    const { get } = open(t);
    const asked = await get(at, { headers: { 'accept-encoding': 'gzip' } });
    assert.deepEqual([await text(asked), asked.headers['content-length']], ['page', undefined]);
    const parts: Uint8Array[] = [];
    for await (const part of (await get(at)).body) parts.push(part);
    assert.deepEqual(Buffer.concat(parts), packed);
  });

  it('says NETWORK for a body that breaks off, gzip or not', async (t) => {
    const half = gzipSync('a long page, cut in the middle').subarray(0, 20);
    const at = await serve(t, (request, response) => {
      response.writeHead(200, request.url === '/gzip' ? { 'content-encoding': 'gzip' } : { 'content-length': 99 });
      if (request.url === '/gzip') response.end(half);
      else response.write('half', () => response.destroy());
    });
    const { get } = open(t);
    const headers = { 'accept-encoding': 'gzip' };
    await assert.rejects(text(await get(`${at}/gzip`, { headers })), hasCode('NETWORK'));
    await assert.rejects(text(await get(`${at}/plain`, { headers })), hasCode('NETWORK'));
  });

  it('stops where the caller stops: before the answer, within the body, by leaving it unread', async (t) => {
    const at = await serve(t, (request, response) => {
      if (request.url === '/body') response.write('x');
    });
    const { get } = open(t);
    await assert.rejects(get(`${at}/none`, { signal: AbortSignal.timeout(20) }), hasCode('ABORTED'));
    await assert.rejects(get(`${at}/none`, { signal: AbortSignal.abort() }), hasCode('ABORTED'));
    const stop = new AbortController();
    const answer = await get(`${at}/body`, { signal: stop.signal });
    const reading = text(answer);
    stop.abort();
    await assert.rejects(reading, hasCode('ABORTED'));
    for await (const part of (await get(`${at}/body`)).body) if (part.length > 0) break;
  });

  it('does not wait longer than it was told', async (t) => {
    const at = await serve(t, (request, response) => void (request.url === '/body' && response.write('x')));
    const { get } = open(t, { timeout: 20 });
    await assert.rejects(get(at), hasCode('NETWORK'));
    await assert.rejects(text(await get(`${at}/body`)), hasCode('NETWORK'));
  });
});

describe('redirects and credentials', () => {
  it('follows, and says where the answer came from', async (t) => {
    const at = await serve(t, (request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end('there');
      else response.writeHead([301, 302, 303, 307, 308][left % 5] ?? 0, { location: `./${left - 1}#part` }).end();
    });
    const { get } = open(t);
    const answer = await get(`${at}/5`);
    assert.deepEqual([await text(answer), answer.url], ['there', `${at}/0`]);
    await assert.rejects(get(`${at}/6`), hasCode('REGISTRY'));
  });

  it('sends user and password of the URL to its own origin alone', async (t) => {
    const seen: (string | undefined)[] = [];
    const other = await serve(t, (request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: `${own}/end` }).end();
    });
    const own = await serve(t, (request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === '/here') response.writeHead(302, { location: '/there' }).end();
      else if (request.url === '/there')
        response.writeHead(302, { location: other.replace('//', '//mallory:x@') }).end();
      else response.end();
    });
    const { get } = open(t);
    const address = `${own.replace('//', '//j%C3%A4n:p%40ss%@')}/here`;
    const answer = await get(address);
    await text(answer);
    const basic = `Basic ${Buffer.from('jän:p@ss%').toString('base64')}`;
    // What went away does not come back: the other host may have chosen where to.
    assert.deepEqual(seen.slice(1), [basic, undefined, undefined]);
    assert.match(seen[0] ?? '', /^Basic /);
    assert.equal(answer.url, `${own}/end`);
  });

  it('refuses where no server should lead', { skip: missing('openssl') }, async (t) => {
    const { key, cert, certFile } = await certificate(t);
    let location: string | undefined;
    const handler = (_: unknown, response: ServerResponse): void =>
      void response.writeHead(302, location === undefined ? {} : { location }).end();
    const secure = await serveTls(t, { key, cert }, handler);
    const plain = await serve(t, handler);
    const { get } = open(t, { cert: certFile });
    for (const [from, to] of [
      [secure, plain],
      [secure, 'http://example.org/'],
      [plain, 'file:///etc/passwd'],
      [plain, 'ftp://example.org/'],
      [plain, 'http://169.254.169.254/latest/meta-data'],
      [plain, 'https://['],
      [plain, undefined],
    ] as const) {
      location = to;
      await assert.rejects(get(from), hasCode('REGISTRY'), to ?? 'no location');
    }
  });
});

describe('certificates', { skip: missing('openssl') }, () => {
  it('trusts nobody unknown, but whom a file or a flag names', async (t) => {
    const { key, cert, certFile } = await certificate(t);
    const at = await serveTls(t, { key, cert }, (_, response) => void response.end());
    const { host, port } = new URL(at);
    const gone = join(scratch(t), 'gone.pem');
    const refused: readonly Partial<ConnectionOptions>[] = [
      {},
      { env: { SSL_CERT_FILE: gone } },
      { trustedHosts: ['127.0.0.2', `127.0.0.1:${Number(port) + 1}`, '0.0.1'] },
    ];
    for (const options of refused) await assert.rejects(open(t, options).get(at), hasCode('NETWORK'));
    const trusted: readonly Partial<ConnectionOptions>[] = [
      { cert: certFile },
      { cert: certFile, env: { SSL_CERT_FILE: gone } },
      { env: { SSL_CERT_FILE: certFile } },
      { trustedHosts: ['127.0.0.1'] },
      { trustedHosts: ['example.org', host] },
    ];
    for (const options of trusted) assert.equal((await open(t, options).get(at)).status, 200, JSON.stringify(options));
  });

  it('adds NODE_EXTRA_CA_CERTS to a bundle that replaces Node’s own', async (t) => {
    const [own, extra] = [await certificate(t), await certificate(t)];
    const at = await serveTls(t, extra, (_, response) => void response.end());
    const env = { SSL_CERT_FILE: own.certFile };
    await assert.rejects(open(t, { env }).get(at), hasCode('NETWORK'));
    const both = open(t, { env: { ...env, NODE_EXTRA_CA_CERTS: extra.certFile } });
    assert.equal((await both.get(at)).status, 200);
  });

  it('shows its own certificate where it has one', async (t) => {
    const [server, client] = [await certificate(t), await certificate(t)];
    const options = { ...server, requestCert: true, ca: client.cert, rejectUnauthorized: false };
    const at = await serveTls(t, options, (request, response) => {
      response.end(String('authorized' in request.socket && request.socket.authorized));
    });
    const { get } = open(t, { cert: server.certFile, clientCert: client.bothFile });
    assert.equal(await text(await get(at)), 'true');
    assert.equal(await text(await open(t, { cert: server.certFile }).get(at)), 'false');
  });

  it('says what is wrong with a file', (t) => {
    const broken = join(scratch(t), 'broken.pem');
    writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    assert.throws(() => openHttp({ env: {}, cert: '/nowhere.pem' }), hasCode('INPUT_ABSENT'));
    assert.throws(() => openHttp({ env: {}, clientCert: '/nowhere.pem' }), hasCode('INPUT_ABSENT'));
    assert.throws(() => openHttp({ env: {}, cert: broken }), hasCode('INPUT_MALFORMED'));
    assert.throws(() => openHttp({ env: { SSL_CERT_FILE: broken } }), hasCode('INPUT_MALFORMED'));
  });
});

describe('proxies', () => {
  /** A proxy whose every tunnel ends at one server. */
  async function proxyTo(t: TestContext, at: string): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer();
    server.on('connect', (request, socket) => {
      asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
      const upstream = connect(Number(new URL(at).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
      t.after(() => upstream.destroy());
    });
    const host = await listen(server);
    t.after(() => server.close());
    return { url: `http://${host}`, asked };
  }

  it('goes through that of pip before those of the environment, and past NO_PROXY and loopback', async (t) => {
    const at = await serve(t, (_, response) => void response.end('x'));
    const proxy = await proxyTo(t, at);
    const dead = 'http://127.0.0.1:1';
    const env = { http_proxy: proxy.url, HTTP_PROXY: dead, HTTPS_PROXY: dead };
    const status = async (options: ConnectionOptions, url: string): Promise<number> =>
      (await open(t, options).get(url)).status;
    assert.equal(await status({ env }, 'http://index.test:81/'), 200);
    assert.equal(await status({ env: { HTTP_PROXY: dead }, proxy: proxy.url }, 'http://index.test:82/'), 200);
    assert.deepEqual(proxy.asked, ['index.test:81', 'index.test:82']);
    assert.equal(await status({ env: { HTTP_PROXY: dead } }, at), 200);
    const past = { env: { ...env, NO_PROXY: '.test' } };
    await assert.rejects(status(past, 'http://index.test:1/'), hasCode('NETWORK'));
    assert.equal(proxy.asked.length, 2);
  });

  it('does not repeat the password of a proxy that is none', () => {
    for (const options of [{ env: {}, proxy: 'u:secret@proxy:80' }, { env: { HTTPS_PROXY: 'u:secret@proxy:80' } }])
      assert.throws(
        () => openHttp(options),
        (error) => hasCode('USAGE')(error) && !String(error).includes('secret'),
      );
  });
});
