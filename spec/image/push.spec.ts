import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type ProgressEvent, pack, push } from '../../src/index.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { type Folder, blobOf, everythingIn, indexOf, labFolder, writeApp } from '../support/packed.ts';
import { REGISTRY_USER, type Registry, startRegistry } from '../support/registry.ts';

const run = promisify(execFile);

describe('push', { skip: missing('docker-registry', 'skopeo') }, () => {
  let lab: Folder;
  let registry: Registry;
  let input: string;
  before(async () => {
    [lab, registry] = await Promise.all([labFolder(), startRegistry()]);
    input = await writeApp(join(lab.folder, 'app.nix.tar'));
  });
  after(() => Promise.all([lab.remove(), registry.stop()]));

  /** The digest of what the registry has, and of what skopeo pulls: a `dir:` with every blob checked. */
  async function pulled(reference: string): Promise<string> {
    const folder = join(lab.folder, 'pulled.oci');
    await run('rm', ['-rf', folder]);
    const from = ['--src-tls-verify=false', `docker://${registry.host}/${reference}`];
    await run('skopeo', ['--insecure-policy', 'copy', '--all', ...from, `oci:${folder}:x`]);
    return indexOf(folder)[0]?.digest ?? '';
  }

  it('sends an image that skopeo pulls, byte for byte', async () => {
    const output = join(lab.folder, 'app.oci');
    const { digest, config, layers } = await pack({ input, output, env: {} });
    const result = await push({ layout: output, references: [`${registry.host}/plone:6.2`], env: {} });
    assert.deepEqual(result, { digest, references: [`${registry.host}/plone:6.2`] });
    assert.equal(await pulled('plone:6.2'), digest);
    for (const name of [digest, config.digest, ...layers.map((layer) => layer.digest)])
      assert.deepEqual(blobOf(join(lab.folder, 'pulled.oci'), name), blobOf(output, name));
  });

  it('sends to several references, of tag latest where none is named', async () => {
    const output = join(lab.folder, 'several.oci');
    const { digest } = await pack({ input, output, env: {} });
    const references = [`${registry.host}/a/b`, `${registry.host}/c:d`];
    const result = await push({ layout: output, references, env: {} });
    assert.deepEqual(result.references, [`${registry.host}/a/b:latest`, `${registry.host}/c:d`]);
    assert.equal(await pulled('a/b:latest'), digest);
    assert.equal(await pulled('c:d'), digest);
  });

  it('takes DIR:TAG of several', async () => {
    const output = join(lab.folder, 'tags.oci');
    await pack({ input, output, tag: 'one', env: {} });
    const { digest } = await pack({ input, output, tag: 'two', cmd: ['two'], env: {} });
    await assert.rejects(push({ layout: output, references: [`${registry.host}/t`], env: {} }), hasCode('USAGE'));
    await push({ layout: `${output}:two`, references: [`${registry.host}/t`], env: {} });
    assert.equal(await pulled('t:latest'), digest);
  });

  for (const suffix of ['', ':v1'])
    it(`takes an archive: X.tar${suffix}`, async () => {
      const output = join(lab.folder, 'app.tar');
      const { digest } = await pack({ input, output, tag: 'v1', env: {} });
      const result = await push({ layout: `${output}${suffix}`, references: [`${registry.host}/archive`], env: {} });
      assert.equal(result.digest, digest);
      assert.equal(await pulled('archive:latest'), digest);
    });

  it('comes after pack, and both are told', async () => {
    const output = join(lab.folder, 'both.oci');
    const events: ProgressEvent[] = [];
    const references = [`${registry.host}/both:1`];
    const onProgress = (event: ProgressEvent): void => void events.push(event);
    const result = await pack({ input, output, push: references, labels: { both: '1' }, env: {}, onProgress });
    assert.deepEqual(result.references, [`${output}:latest`, ...references]);
    assert.equal(result.layout, output);
    assert.equal(await pulled('both:1'), result.digest);
    assert.ok(events.some(({ kind }) => kind === 'push'));
  });

  it('alone keeps no layout', async () => {
    const there = [everythingIn(lab.folder), ownIn(tmpdir()), ownIn('.')];
    const result = await pack({ input, push: [`${registry.host}/alone:1`], env: {} });
    assert.equal(result.layout, null);
    assert.deepEqual(result.references, [`${registry.host}/alone:1`]);
    assert.deepEqual([everythingIn(lab.folder), ownIn(tmpdir()), ownIn('.')], there);
    assert.equal(await pulled('alone:1'), result.digest);
  });

  it('sends nothing of a layout whose blob is not what its name says', async () => {
    const output = join(lab.folder, 'damaged.oci');
    const { layers } = await pack({ input, output, labels: { damaged: '1' }, cmd: ['damaged'], env: {} });
    const blob = join(output, 'blobs', layers[0]?.digest.replace(':', '/') ?? '');
    const bytes = await readFile(blob);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(blob, bytes);
    const references = [`${registry.host}/damaged`];
    await assert.rejects(push({ layout: output, references, env: {} }), hasCode('DIGEST_MISMATCH'));
    await assert.rejects(pulled('damaged:latest'));
  });

  it('logs in with what docker login left', async (t) => {
    const closed = await startRegistry({ auth: true });
    t.after(() => closed.stop());
    const references = [`${closed.host}/secret`];
    const output = join(lab.folder, 'login.oci');
    await pack({ input, output, env: {} });
    const env = { HOME: lab.folder, DOCKER_CONFIG: lab.folder };
    await assert.rejects(push({ layout: output, references, env }), hasCode('AUTHENTICATION'));
    const { username, password } = REGISTRY_USER;
    const login = (text: string): Promise<void> => {
      const auth = Buffer.from(text).toString('base64');
      return writeFile(join(lab.folder, 'config.json'), JSON.stringify({ auths: { [closed.host]: { auth } } }));
    };
    await login(`${username}:wrong`);
    await assert.rejects(push({ layout: output, references, env }), hasCode('AUTHENTICATION'));
    await login(`${username}:${password}`);
    assert.deepEqual((await push({ layout: output, references, env })).references, [`${closed.host}/secret:latest`]);
  });
});

function ownIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /^\.image|\.oci$/.test(name));
}
