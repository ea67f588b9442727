import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Transport } from '../../src/registry/transport.ts';
import { listen } from '../support/fault-registry.ts';
import { missing } from '../support/fixtures.ts';
import { isError } from './expect.ts';

function transport(t: TestContext): Transport {
  const made = new Transport({ env: {}, insecure: [] });
  t.after(() => made.close());
  return made;
}

async function start(t: TestContext, server: Server): Promise<string> {
  t.after(() => server.close());
  return await listen(server);
}

async function* body(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('ab');
  yield Buffer.from('c');
}

describe('Transport', () => {
  it('sends as many bytes as were announced, and no encoding that nobody asked for', async (t) => {
    const seen: unknown[] = [];
    const host = await start(
      t,
      createHttpServer((request, response) => {
        seen.push([
          request.headers['transfer-encoding'],
          request.headers['accept-encoding'],
          request.headers['user-agent'],
        ]);
        request.resume().on('end', () => response.end('x'.repeat(100)));
      }),
    );
    const url = new URL(`http://${host}/`);
    const answer = await transport(t).send({
      method: 'PUT',
      url,
      headers: { 'content-length': '3' },
      body,
      maxAnswerBytes: 10,
    });
    assert.deepEqual([answer.status, answer.body.length, answer.truncated], [200, 10, true]);
    assert.deepEqual(seen, [[undefined, undefined, 'oci-plone']]);
    await assert.rejects(
      transport(t).send({ method: 'PUT', url, headers: { 'content-length': '4' }, body }),
      isError('NETWORK'),
    );
  });

  it('stops reading an answer without end', async (t) => {
    const host = await start(
      t,
      createHttpServer((_, response) => {
        const more = (): void =>
          void (response.destroyed || response.write(Buffer.alloc(65_536), () => setImmediate(more)));
        more();
      }),
    );
    const answer = await transport(t).send({ method: 'GET', url: new URL(`http://${host}/`) });
    assert.deepEqual([answer.body.length, answer.truncated], [65_536, true]);
  });

  it('says NETWORK, with the host, for every way to get no answer', async (t) => {
    const closing = await start(
      t,
      createServer((socket) => void socket.on('data', () => socket.resetAndDestroy())),
    );
    const babbling = await start(
      t,
      createServer((socket) => void socket.on('error', () => undefined).end('hello\r\n\r\n')),
    );
    const halfway = await start(
      t,
      createServer(
        (socket) => void socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')),
      ),
    );
    for (const url of [
      'http://127.0.0.1:1/',
      'http://localhost:1/',
      `http://${closing}/`,
      `http://${babbling}/`,
      `http://${halfway}/`,
      `https://${babbling}/`,
    ])
      await assert.rejects(transport(t).send({ method: 'GET', url: new URL(url) }), (error) => {
        isError('NETWORK')(error);
        assert.ok(error instanceof Error && error.message.startsWith(new URL(url).host), String(error));
        return true;
      });
  });

  it('does not wait for ever', async (t) => {
    const silent = await start(
      t,
      createServer((socket) => t.after(() => socket.destroy())),
    );
    const url = new URL(`http://${silent}/`);
    await assert.rejects(transport(t).send({ method: 'GET', url, patience: 10 }), isError('NETWORK', /in time/));
    const stop = AbortSignal.timeout(20);
    await assert.rejects(transport(t).send({ method: 'GET', url }, stop), isError('ABORTED'));
  });

  it('trusts no certificate of its server’s own making', { skip: missing('openssl') }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'oci-plone-spec-'));
    t.after(() => rm(folder, { recursive: true }));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const files = ['-nodes', '-days', '2', '-keyout', key, '-out', cert];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...files, ...subject]);
    let requests = 0;
    const options = { key: await readFile(key), cert: await readFile(cert) };
    const host = await start(
      t,
      createTlsServer(options, (_, response) => void response.end(String((requests += 1)))),
    );
    const url = new URL(`https://${host}/`);
    await assert.rejects(transport(t).send({ method: 'GET', url }), isError('NETWORK', /NODE_EXTRA_CA_CERTS/));
    assert.equal(requests, 0);
  });
});
