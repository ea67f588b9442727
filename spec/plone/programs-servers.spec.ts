import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ploneVenv, skipPlone } from '../support/plone-venv.ts';
import { freePort } from '../support/registry.ts';
import { addPage, getPage } from './plone-client.ts';
import { DATABASE_PASSWORD, type Postgresql, skipPostgresql, startPostgresql } from './postgresql.ts';
import { type Cleaned, type Running, failureOf, programLab, runProgram, startPlone } from './program-lab.ts';
import { startZeo } from './zeo-server.ts';

type Environment = Readonly<Record<string, string>>;

const skip = await skipPlone();
const login = { user: 'boss', password: 'one-for-both' };
const common = { ADMIN_PASSWORD: login.password, SITE: 'Plone', TYPE: 'classic' };

/** Two clients that start at the same moment on an empty database, as a deployment with two replicas does. */
async function writeThroughOneReadThroughTheOther(t: Cleaned, env: Environment): Promise<void> {
  const labs = [await programLab(t, { plone: true }), await programLab(t, { plone: true })] as const;
  const ports = [await freePort(), await freePort()] as const;
  const clients = await Promise.all([
    startPlone(labs[0], ports[0], { env: { ...common, ...env } }),
    startPlone(labs[1], ports[1], { env: { ...common, ...env } }),
  ]);
  for (const client of clients) assert.ok(!client.ended(), client.output());
  const made = clients.filter((client) => client.output().includes('made the administrator'));
  assert.equal(made.length, 1, 'one of them made the administrator');

  await addPage(ports[0], login, 'From the first');
  await addPage(ports[1], login, 'From the second');
  assert.equal(await getPage(ports[1], login, 'from-the-first'), 'From the first');
  assert.equal(await getPage(ports[0], login, 'from-the-second'), 'From the second');

  const again = await runProgram(labs[0], ['create-site', 'Plone'], { env });
  assert.deepEqual([again.code, again.stdout], [0, ''], 'create-site beside running clients');
  const ends = await Promise.all(clients.map((client: Running) => client.stop('SIGINT')));
  for (const { code, stdout, stderr } of ends) {
    assert.equal(code, 0, stderr);
    assert.ok(!(stdout + stderr).includes(DATABASE_PASSWORD));
  }
}

describe('clients of one ZEO server', { skip }, () => {
  it('share pages', async (t) => {
    const port = await freePort();
    const server = await startZeo(port);
    t.after(() => server.stop());
    await writeThroughOneReadThroughTheOther(t, { ZEO_ADDRESS: `127.0.0.1:${port}`, ZEO_CLIENT_CACHE_SIZE: '20MB' });
  });

  it('wait for it, up to a limit', async (t) => {
    const lab = await programLab(t, { plone: false });
    const port = await freePort();
    const env = { ZEO_ADDRESS: `127.0.0.1:${port}`, DATABASE_WAIT: '1' };
    const ended = await runProgram(lab, ['start'], { env });
    assert.deepEqual([ended.code, failureOf(ended)], [7, 'DATABASE_UNREACHABLE']);
    assert.match(ended.stderr, /^Waiting/);
  });

  it('stop waiting on a signal', async (t) => {
    const lab = await programLab(t, { plone: false });
    const env = {
      PATH: '/usr/bin',
      ZEO_ADDRESS: `127.0.0.1:${await freePort()}`,
      LISTEN_PORT: String(await freePort()),
    };
    const child = spawn(join(ploneVenv, 'bin/python'), ['-B', 'start'], { cwd: lab.opt, env });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr === '') child.kill('SIGTERM');
      stderr += chunk.toString();
    });
    await once(child, 'close');
    assert.equal(child.exitCode, 128 + 15);
    assert.ok(!stderr.includes('Traceback'), stderr);
  });

  it('are not content with another kind of server', async (t) => {
    const lab = await programLab(t, { plone: false });
    const server = createServer((socket) => void socket.on('error', () => undefined).end('220 mail.example.org\r\n'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const ended = await runProgram(lab, ['start'], { env: { ZEO_ADDRESS: `127.0.0.1:${port}`, DATABASE_WAIT: '0' } });
    assert.equal(failureOf(ended), 'DATABASE_UNREACHABLE');
  });

  it('name a storage that the server does not have', async (t) => {
    const lab = await programLab(t, { plone: true });
    const port = await freePort();
    const server = await startZeo(port);
    t.after(() => server.stop());
    const ended = await runProgram(lab, ['start'], {
      env: { ZEO_ADDRESS: `127.0.0.1:${port}`, ZEO_STORAGE: 'other', LISTEN_PORT: String(await freePort()) },
    });
    assert.equal(failureOf(ended), 'DATABASE_UNREACHABLE');
  });
});

describe('clients of one PostgreSQL', { skip: skip || skipPostgresql(), timeout: 900_000 }, () => {
  let postgresql: Postgresql;
  before(async () => {
    postgresql = await startPostgresql();
  });
  after(() => postgresql.stop());

  it('share pages, with every setting of RelStorage given', async (t) => {
    await writeThroughOneReadThroughTheOther(t, {
      RELSTORAGE_DSN: postgresql.dsn(),
      RELSTORAGE_NAME: 'storage',
      RELSTORAGE_READ_ONLY: 'off',
      RELSTORAGE_KEEP_HISTORY: 'false',
      RELSTORAGE_COMMIT_LOCK_TIMEOUT: '30',
      RELSTORAGE_CREATE_SCHEMA: 'true',
      RELSTORAGE_SHARED_BLOB_DIR: 'false',
      RELSTORAGE_BLOB_CACHE_SIZE: '100mb',
      RELSTORAGE_BLOB_CACHE_SIZE_CHECK: '10',
      RELSTORAGE_BLOB_CACHE_SIZE_CHECK_EXTERNAL: 'false',
      RELSTORAGE_BLOB_CHUNK_SIZE: '1048576',
      RELSTORAGE_CACHE_LOCAL_MB: '10',
      RELSTORAGE_CACHE_LOCAL_OBJECT_MAX: '16384',
      RELSTORAGE_CACHE_LOCAL_COMPRESSION: 'none',
      RELSTORAGE_CACHE_DELTA_SIZE_LIMIT: '100000',
    });
  });

  it('start again where another creates the same tables at the same moment', async (t) => {
    const lab = await programLab(t, { plone: true });
    const other = postgresql.session();
    t.after(() => void other.end());
    const until = async (sessions: number, state: string): Promise<void> => {
      const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = 'empty' AND ${state}`;
      while ((await postgresql.sql(query)) !== String(sessions)) await sleep(50);
    };
    await postgresql.sql('CREATE DATABASE empty');
    const dsn = postgresql.dsn().replace('dbname=plone', 'dbname=empty');
    other.write('\\connect empty\nBEGIN;\nCREATE TABLE commit_row_lock (tid BIGINT);\n');
    await until(1, "state = 'idle in transaction'");
    const env = { ADMIN_PASSWORD: login.password, RELSTORAGE_DSN: dsn };
    const starting = startPlone(lab, await freePort(), { env });
    await until(1, "wait_event_type = 'Lock'");
    other.write('COMMIT;\n');
    await until(0, "wait_event_type = 'Lock'");
    other.write('DROP TABLE commit_row_lock;\n');
    const client = await starting;
    assert.match(client.output(), /^Another process initialises the same database: starting again$/m);
    assert.equal((await client.stop('SIGINT')).code, 0);
  });

  it('wait for it, and show no password: not a wrong one, and not of a DSN that is none', async (t) => {
    const lab = await programLab(t, { plone: false });
    const table: readonly (readonly [dsn: string, code: string])[] = [
      [postgresql.dsn('wrong-secret'), 'DATABASE_REFUSED'],
      [`postgresql://plone:wrong-secret@127.0.0.1:${postgresql.port}/plone`, 'DATABASE_REFUSED'],
      [`host=127.0.0.1 port=${postgresql.port} dbname=plone user=plone`, 'DATABASE_REFUSED'],
      [`host=127.0.0.1 port=${await freePort()} dbname=plone password=wrong-secret`, 'DATABASE_UNREACHABLE'],
      ['dbname=plone user plone password=wrong-secret', 'SETTING_REFUSED'],
      ["dbname=plone password='wrong-secret", 'SETTING_REFUSED'],
    ];
    for (const [dsn, code] of table) {
      const env = { RELSTORAGE_DSN: dsn, DATABASE_WAIT: '1', LISTEN_PORT: String(await freePort()) };
      const ended = await runProgram(lab, ['start'], { env });
      assert.equal(failureOf(ended), code, dsn);
      assert.ok(!(ended.stdout + ended.stderr).includes('wrong-secret'), ended.stderr);
    }
  });
});
