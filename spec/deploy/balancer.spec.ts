import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, type Server, createServer, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fixture, missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { freePort } from './free-port.ts';

const run = promisify(execFile);
const CONFIGURATION = fixture('deploy', 'haproxy.cfg');
/** Debian keeps it in sbin, which a plain user's PATH lacks. */
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

describe('the load balancer of the deployment', { skip: missing('haproxy') }, () => {
  it('takes its configuration, also while no client is there', async () => {
    await run('haproxy', ['-c', '-f', CONFIGURATION], { env });
  });

  it('shows the site Plone at the root of the host that was asked for', async (t) => {
    const { ask } = await balanced(t);
    for (const [path, host, seen] of [
      ['/', 'www.example.org', '/VirtualHostBase/http/www.example.org/Plone/VirtualHostRoot/'],
      ['/a%20b?c=d', 'localhost:8080', '/VirtualHostBase/http/localhost:8080/Plone/VirtualHostRoot/a%20b?c=d'],
    ] as const)
      assert.equal((await ask(path, host)).body.split(' ')[1], seen);
  });

  it('refuses a host that would be a path', async (t) => {
    const { ask } = await balanced(t);
    for (const host of ['a/Other/VirtualHostRoot', '[::1]/x', 'a b', '..%2f'])
      assert.equal((await ask('/', host)).status, 400, host);
  });

  it('asks every client, and none that does not answer /ok', async (t) => {
    const { ask, clients } = await balanced(t);
    const answering = async (): Promise<ReadonlySet<string | undefined>> => {
      const found = new Set<string | undefined>();
      for (let count = 0; count < 10; count += 1) {
        const { status, body } = await ask('/', 'localhost');
        found.add(status === 200 ? body.split(' ')[0] : String(status));
      }
      return found;
    };
    assert.deepEqual(await answering(), new Set(['plone1', 'plone2']));
    clients[0]?.fail();
    while ((await answering()).has('plone1')) await setTimeout(100);
    assert.deepEqual(await answering(), new Set(['plone2']));
  });

  it('asks the other one what a client did not answer, but for what may have changed something', async (t) => {
    const { ask, clients } = await balanced(t);
    clients[0]?.hangUp();
    for (const headers of [{}, { cookie: '__ac=one' }, { cookie: '__ac=two' }, { cookie: '__ac=three' }])
      for (let count = 0; count < 4; count += 1)
        assert.equal((await ask('/', 'localhost', { headers })).body.split(' ')[0], 'plone2');
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask('/', 'localhost', { method: 'POST' })));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 502]));
  });

  it('keeps who is logged in with one client', async (t) => {
    const { ask } = await balanced(t);
    const found = new Set<string | undefined>();
    for (let user = 0; user < 12; user += 1) {
      const value = `login${user}`;
      for (const headers of [{ cookie: `other=1; __ac=${value}` }, { authorization: `Bearer ${value}` }]) {
        const answers = await Promise.all(Array.from({ length: 4 }, () => ask('/', 'localhost', { headers })));
        const clients = new Set(answers.map(({ body }) => body.split(' ')[0]));
        assert.equal(clients.size, 1, JSON.stringify(headers));
        found.add([...clients][0]);
      }
    }
    assert.deepEqual(found, new Set(['plone1', 'plone2']));
  });
});

interface Client {
  readonly port: number;
  /** From now on /ok is answered with 503. */
  readonly fail: () => void;
  /** From now on anything but /ok is read and not answered. */
  readonly hangUp: () => void;
}

interface Balanced {
  readonly clients: readonly Client[];
  readonly ask: (
    path: string,
    host: string,
    request?: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> },
  ) => Promise<{ readonly status: number | undefined; readonly body: string }>;
}

/** The balancer of the deployment before two servers that say who they are and what they were asked for. */
async function balanced(t: TestContext): Promise<Balanced> {
  const clients = await Promise.all(['plone1', 'plone2'].map((name) => client(t, name)));
  const port = await freePort();
  let configuration = readFileSync(CONFIGURATION, 'utf8').replace('bind :8080', `bind 127.0.0.1:${port}`);
  clients.forEach((one, index) => {
    configuration = configuration.replace(`plone${index + 1}:8080`, `127.0.0.1:${one.port}`);
  });
  const file = join(scratch(t), 'haproxy.cfg');
  writeFileSync(file, configuration);
  const haproxy = spawn('haproxy', ['-db', '-f', file], { env, stdio: 'ignore' });
  t.after(async () => {
    haproxy.kill('SIGKILL');
    if (haproxy.exitCode === null) await once(haproxy, 'exit');
  });
  const ask: Balanced['ask'] = (path, host, { method, headers } = {}) =>
    get({ port, path, method, headers: { ...headers, host } });
  while (haproxy.exitCode === null && !(await ask('/', 'localhost').catch(() => null))) await setTimeout(50);
  return { clients, ask };
}

async function client(t: TestContext, name: string): Promise<Client> {
  let status = 200;
  let hangsUp = false;
  const server: Server = createServer(({ url, socket }, response) => {
    if (hangsUp && url !== '/ok') {
      socket.destroy();
      return;
    }
    response.writeHead(url === '/ok' ? status : 200).end(`${name} ${url}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return {
    port: address.port,
    fail: () => {
      status = 503;
    },
    hangUp: () => {
      hangsUp = true;
    },
  };
}

async function get(options: RequestOptions): ReturnType<Balanced['ask']> {
  const asked = request({ host: '127.0.0.1', agent: false, ...options }).end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
  return { status: response.statusCode, body: await text(response) };
}
