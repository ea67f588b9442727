import assert from 'node:assert/strict';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { addPage, getPage } from '../plone/plone-client.ts';
import { DATABASE_PASSWORD, skipPostgresql, startPostgresql } from '../plone/postgresql.ts';
import { type Container, type ContainerOptions, runContainer } from '../support/container.ts';
import { type Folder, labFolder } from '../support/packed.ts';
import { ploneImage, skipPloneImage } from '../support/plone-image.ts';
import { freePort } from '../support/registry.ts';

const skip = await skipPloneImage();
const login = { user: 'admin', password: 'one password for both' };

describe('two containers of one image', { skip, timeout: 3_600_000 }, () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
  });
  after(() => lab?.remove());

  /** A container that may write to /data and /tmp alone, on the machine's loopback. */
  async function container(layout: string, name: string, more: Partial<ContainerOptions>): Promise<Container> {
    const data = join(lab.folder, name);
    mkdirSync(data, { recursive: true });
    chownSync(data, 1000, 1000);
    return runContainer({
      layout,
      readOnly: true,
      tmpfs: ['/tmp'],
      mounts: { '/data': data },
      hostNetwork: true,
      ...more,
    });
  }

  /** What is written through one is read through the other; the first one makes the site. */
  async function share(layout: string, kind: string, env: Readonly<Record<string, string>>): Promise<void> {
    const ports = [await freePort(), await freePort()] as const;
    const common = { ADMIN_PASSWORD: login.password, TYPE: 'classic', ...env };
    const clients: Container[] = [];
    try {
      for (const [index, port] of ports.entries()) {
        const own = { ...common, LISTEN_PORT: String(port), ...(index === 0 ? { SITE: 'Plone' } : {}) };
        const client = await container(layout, `${kind}-${index}`, { env: own, port });
        clients.push(client);
        assert.equal((await client.get('/ok')).status, 200);
      }
      await addPage(ports[0], login, 'From the first');
      await addPage(ports[1], login, 'From the second');
      assert.equal(await getPage(ports[1], login, 'from-the-first'), 'From the first');
      assert.equal(await getPage(ports[0], login, 'from-the-second'), 'From the second');
    } finally {
      for (const client of clients) await client.stop('SIGINT');
    }
    for (const client of clients)
      for (const secret of [DATABASE_PASSWORD, login.password]) assert.ok(!client.output().includes(secret));
  }

  it('share pages by a ZEO server, which is in the image, too', async () => {
    const { layout } = await ploneImage();
    const port = await freePort();
    const serve = 'import os, ZEO.runzeo; os.makedirs("/data/filestorage", exist_ok=True); ZEO.runzeo.main()';
    const args = ['-c', serve, '-a', `127.0.0.1:${port}`, '-f', '/data/filestorage/Data.fs'];
    const server = await container(layout, 'zeo', { args });
    try {
      await share(layout, 'zeo', { ZEO_ADDRESS: `127.0.0.1:${port}` });
    } finally {
      await server.stop('SIGINT');
    }
  });

  it('share pages by one PostgreSQL', { skip: skipPostgresql() }, async () => {
    const { layout } = await ploneImage('relstorage.cfg');
    const database = await startPostgresql();
    try {
      await share(layout, 'postgresql', { RELSTORAGE_DSN: database.dsn() });
    } finally {
      await database.stop();
    }
  });

  it('is told which eggs PostgreSQL needs where the image has none', async () => {
    const { layout } = await ploneImage();
    const env = { RELSTORAGE_DSN: `host=127.0.0.1 dbname=plone password='${DATABASE_PASSWORD}'` };
    const client = await container(layout, 'without', { env });
    const code = await client.exit();
    await client.stop();
    assert.notEqual(code, 0);
    assert.match(client.output(), /RelStorage/);
    assert.match(client.output(), /psycopg2/);
    assert.ok(!client.output().includes(DATABASE_PASSWORD));
    assert.doesNotMatch(client.output(), /Traceback/);
  });
});
