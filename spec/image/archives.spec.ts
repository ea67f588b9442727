import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type PackResult, inspect, pack } from '../../src/index.ts';
import { missing } from '../support/fixtures.ts';
import { type Folder, documentsOf, everythingIn, indexOf, labFolder, writeApp } from '../support/packed.ts';
import { ownStorage } from '../support/validators.ts';

const run = promisify(execFile);
const noRoot = process.geteuid?.() === 0 ? false : 'its storage needs root';

describe('-o X.tar', () => {
  let lab: Folder;
  let archive: string;
  let result: PackResult;
  before(async () => {
    lab = await labFolder();
    archive = join(lab.folder, 'plone-env.tar');
    const input = await writeApp(join(lab.folder, 'app.nix.tar'));
    result = await pack({ input, output: archive, tag: '6.2', env: {} });
  });
  after(() => lab.remove());

  it('has no ./, no owner, and both indexes', async () => {
    const { stdout } = await run('tar', ['tf', archive]);
    const names = stdout.trim().split('\n');
    for (const name of ['oci-layout', 'index.json', 'manifest.json', 'blobs/sha256/']) assert.ok(names.includes(name));
    assert.ok(names.every((name) => !name.startsWith('.')));
    const blobs = [result.digest, result.config.digest, ...result.layers.map(({ digest }) => digest)];
    assert.deepEqual(
      names.filter((name) => /[0-9a-f]{64}$/.test(name)).toSorted(),
      blobs.map((digest) => `blobs/sha256/${digest.slice(7)}`).toSorted(),
    );
  });

  it('is beside nothing else', () => {
    assert.deepEqual(everythingIn(lab.folder), ['app.nix.tar', 'plone-env.tar']);
  });

  it('is the same file from a second run', async () => {
    const again = join(lab.folder, 'other', '..', 'plone-env.tar');
    const { stdout: first } = await run('sha256sum', [archive]);
    await pack({ input: join(lab.folder, 'app.nix.tar'), output: again, tag: '6.2', env: {} });
    assert.equal((await run('sha256sum', [archive])).stdout, first);
  });

  it('is read by inspect', async () => {
    const { digest, tag, layers } = await inspect({ layout: archive });
    assert.deepEqual([digest, tag, layers[0]?.digest], [result.digest, '6.2', result.layers[0]?.digest]);
    assert.equal((await inspect({ layout: `${archive}:6.2` })).digest, result.digest);
  });

  it('is an OCI archive for skopeo', { skip: missing('skopeo') }, async () => {
    const layout = join(lab.folder, 'oci');
    await run('skopeo', ['--insecure-policy', 'copy', `oci-archive:${archive}:6.2`, `oci:${layout}:x`]);
    assert.equal(indexOf(layout)[0]?.digest, result.digest);
  });

  it('is a docker-archive for skopeo, of the name of its file', { skip: missing('skopeo') }, async () => {
    const layout = join(lab.folder, 'docker');
    const from = `docker-archive:${archive}:docker.io/library/plone-env:6.2`;
    await run('skopeo', ['--insecure-policy', 'copy', from, `oci:${layout}:x`]);
    const { config } = documentsOf(layout, 'x');
    assert.deepEqual(
      config.rootfs.diff_ids,
      result.layers.map(({ diffId }) => diffId),
    );
    assert.deepEqual(config.config['Entrypoint'], ['/app/bin/python']);
    assert.equal(config.config['User'], '1000');
  });

  it('is loaded by podman, as docker load would', { skip: missing('podman') || noRoot }, async () => {
    const podman = ownStorage(await mkdtemp(join(lab.folder, 'podman-')));
    await run('podman', [...podman, 'load', '-i', archive]);
    const { stdout } = await run('podman', [...podman, 'image', 'inspect', 'docker.io/library/plone-env:6.2']);
    const [image]: readonly { readonly RootFS: { readonly Layers: readonly string[] } }[] = JSON.parse(stdout);
    assert.deepEqual(
      image?.RootFS.Layers,
      result.layers.map(({ diffId }) => diffId),
    );
  });
});
