import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chownSync, chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { push } from '../../src/index.ts';
import { type Container, type ContainerOptions, runContainer } from '../support/container.ts';
import { type Folder, labFolder } from '../support/packed.ts';
import { ploneImage, skipPloneImage } from '../support/plone-image.ts';
import { type Registry, startRegistry } from '../support/registry.ts';

const run = promisify(execFile);
const skip = await skipPloneImage();

const PASSWORD = 'a password of the tests';
const AUTHORIZATION = `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}`;
const JSON_HEADERS = { accept: 'application/json', 'content-type': 'application/json', authorization: AUTHORIZATION };

/** By buildout. The second one takes minutes more, and is for `npm run test:plone -- --long`. */
const VERSIONS: Readonly<Record<string, string>> = { '6.2.2': 'buildout.cfg', '6.0.13': 'plone-6.0.cfg' };
const long = process.env['OCI_PLONE_LONG'] === '1' ? false : 'not without npm run test:plone -- --long';

for (const [version, file] of Object.entries(VERSIONS)) {
  const options = { skip: skip || (version === '6.2.2' ? false : long), timeout: 3_600_000 };
  describe(`Plone ${version}, from its buildout through a registry to a container`, options, () => {
    site(file);
  });
}

function site(file: string): void {
  let lab: Folder;
  let registry: Registry;
  let pulled: string;
  let data: string;
  before(async () => {
    lab = await labFolder();
    data = join(lab.folder, 'data');
    mkdirSync(data);
    // As the image's own /data is, which a new volume takes over.
    chownSync(data, 1000, 1000);
    chmodSync(data, 0o770);
    const { layout, result } = await ploneImage(file);
    registry = await startRegistry();
    const reference = `${registry.host}/plone:6.2`;
    assert.equal((await push({ layout, references: [reference], env: {} })).digest, result.digest);
    pulled = join(lab.folder, 'pulled');
    await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', `docker://${reference}`, `oci:${pulled}:latest`]);
  });
  after(async () => {
    await registry?.stop();
    await lab?.remove();
  });

  const start = (more: Partial<ContainerOptions> = {}): Promise<Container> =>
    runContainer({
      layout: pulled,
      readOnly: true,
      tmpfs: ['/tmp'],
      mounts: { '/data': data },
      env: { ADMIN_PASSWORD: PASSWORD },
      ...more,
    });
  /** Runs a program of the image to its end. */
  const program = async (...args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> => {
    const container = await start({ args });
    const code = await container.exit();
    await container.stop();
    return { code, output: container.output() };
  };

  it('makes a site, twice is once', async () => {
    const first = await program('create-site');
    assert.equal(first.code, 0, first.output);
    assert.ok(!first.output.includes(PASSWORD));
    const second = await program('create-site');
    assert.equal(second.code, 0, second.output);
  });

  it('serves it as uid 1000, takes a page from who logs in, and has it after a new start', async () => {
    const container = await start();
    assert.equal((await container.get('/ok')).status, 200);
    assert.deepEqual(await container.owner(), { uid: 1000, gid: 1000 });
    assert.match((await container.get('/Plone')).body, /<title>/);
    const page = { '@type': 'Document', id: 'first', title: 'A page of the tests' };
    const body = JSON.stringify(page);
    const anonymous = { accept: 'application/json', 'content-type': 'application/json' };
    assert.equal((await container.request('/Plone', { method: 'POST', headers: anonymous, body })).status, 401);
    const added = await container.request('/Plone', { method: 'POST', headers: JSON_HEADERS, body });
    assert.equal(added.status, 201, added.body);
    assert.equal(await container.stop('SIGINT'), 0, container.output());

    const again = await start();
    const { status, body: found } = await again.request('/Plone/first', { headers: JSON_HEADERS });
    assert.equal(status, 200, found);
    assert.match(found, /A page of the tests/);
    assert.equal(await again.stop('SIGTERM'), 0, again.output());
    assert.ok(!again.output().includes(PASSWORD));
  });

  it('says what is wrong where another container has its data', async () => {
    const first = await start();
    await first.get('/ok');
    const second = await program('start');
    await first.stop();
    assert.notEqual(second.code, 0);
    assert.match(second.output, /^start: DATABASE_LOCKED: /m);
    assert.doesNotMatch(second.output, /Traceback/);
  });

  it('says what is wrong where its data cannot be written', async () => {
    const locked = join(lab.folder, 'locked');
    mkdirSync(locked, { mode: 0o755 });
    const container = await start({ args: ['start'], mounts: { '/data': locked } });
    const code = await container.exit();
    await container.stop();
    assert.notEqual(code, 0);
    assert.match(container.output(), /1000/);
    assert.doesNotMatch(container.output(), /Traceback/);
  });

  it('is healthy while it serves, and not before', async () => {
    assert.notEqual((await program('health')).code, 0);
    const container = await start({ hostNetwork: false });
    await container.get('/ok');
    assert.equal((await container.run('/app/bin/python', 'health')).code, 0);
    await container.stop();
  });

  it('shows a password that it made itself, once', async () => {
    const own = join(lab.folder, 'own');
    mkdirSync(own);
    chownSync(own, 1000, 1000);
    const made = await start({ env: {}, mounts: { '/data': own } });
    await made.get('/ok');
    await made.stop('SIGINT');
    const [, password = ''] = /password: (\S+)/.exec(made.output()) ?? [];
    assert.ok(password.length >= 16, made.output());
    const again = await start({ env: {}, mounts: { '/data': own } });
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    const { status } = await again.request('/manage_main', { headers: { authorization } });
    await again.stop('SIGINT');
    assert.equal(status, 200);
    assert.ok(!again.output().includes(password));
  });
}
