import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type PackResult, exportTarball, inspect, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, blobOf, documentsOf, labFolder, writeApp } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const env = cleanEnvironment();
const run = promisify(execFile);
const input = fixture('expressions', 'tiny.nix');

interface Recorded {
  readonly version?: number;
  readonly sandbox?: string;
  readonly diffId: string;
  readonly recipe: string;
  readonly storePaths: readonly { readonly path: string; readonly narHash: string; readonly narSize: number }[];
}

describe('the record', { skip: nix.skip || missing('bwrap', 'nix-store', 'nix-hash') }, () => {
  let lab: Folder;
  let output: string;
  let result: PackResult;
  let label: { readonly version: number; readonly layers: readonly Recorded[] };
  let annotations: readonly Recorded[];
  before(async () => {
    lab = await labFolder();
    output = join(lab.folder, 'tiny.oci');
    result = await pack({ input, output, env });
    const { manifest, config } = documentsOf(output);
    label = JSON.parse(config.config.Labels?.['dev.oci-plone.record.v1'] ?? '');
    annotations = manifest.layers.map((layer) => JSON.parse(layer.annotations?.['dev.oci-plone.layer.v1'] ?? ''));
  });
  after(() => lab.remove());

  it('is a label of the config and an annotation of each layer, which say the same', () => {
    assert.equal(label.version, 1);
    assert.deepEqual(Object.keys(label).toSorted(), ['layers', 'version']);
    assert.deepEqual(label.layers, annotations);
  });

  it('has the diff_ids of the config, which are those of the uncompressed blobs', () => {
    const { manifest, config } = documentsOf(output);
    const sums = manifest.layers.map(({ digest }) => sha256(gunzipSync(blobOf(output, digest))));
    assert.deepEqual(config.rootfs.diff_ids, sums);
    assert.deepEqual(
      annotations.map(({ diffId }) => diffId),
      sums,
    );
  });

  it('has the store paths, with the narHash and narSize that Nix knows of them', async () => {
    const [layer] = annotations;
    assert.deepEqual(
      layer?.storePaths.map(({ path }) => path),
      result.layers[0]?.storePaths,
    );
    for (const { path, narHash, narSize } of layer?.storePaths ?? []) {
      const { stdout: hash } = await run('nix-store', ['-q', '--hash', path], { env });
      const { stdout: hex } = await run('nix-hash', [
        '--type',
        'sha256',
        '--to-base16',
        hash.trim().replace('sha256:', ''),
      ]);
      const { stdout: size } = await run('nix-store', ['-q', '--size', path], { env });
      assert.equal(narHash, `sha256:${hex.trim()}`, path);
      assert.equal(narSize, Number(size), path);
    }
  });

  it('has the same narHash and narSize from a tarball', async () => {
    const tarball = join(lab.folder, 'tiny.nix.tar');
    await exportTarball({ input, output: tarball, env });
    await pack({ input: tarball, output: join(lab.folder, 'again.oci'), env });
    const { layers } = await inspect({ layout: join(lab.folder, 'again.oci') });
    assert.deepEqual(layers[0]?.storePaths, annotations[0]?.storePaths);
  });

  it('names another recipe for another encoder, which promises the same diff_ids', async () => {
    const folder = join(lab.folder, 'zlib.oci');
    const { layers } = await pack({ input, output: folder, env, encoder: 'zlib' });
    assert.deepEqual(
      layers.map(({ diffId }) => diffId),
      result.layers.map(({ diffId }) => diffId),
    );
    const [own] = (await inspect({ layout: output })).layers;
    const [other] = (await inspect({ layout: folder })).layers;
    assert.equal(own?.recipe, annotations[0]?.recipe);
    assert.notEqual(other?.recipe, own?.recipe);
  });

  it('says that there was no sandbox, and nothing else in the image changes', async () => {
    const folder = join(lab.folder, 'none.oci');
    const { layers } = await pack({ input, output: folder, env, sandbox: 'none' });
    assert.deepEqual(layers, result.layers);
    const [own, other] = [documentsOf(output), documentsOf(folder)];
    const { Labels: { 'dev.oci-plone.record.v1': text = '', ...labels } = {}, ...config } = other.config.config;
    assert.deepEqual(JSON.parse(text), { ...label, sandbox: 'none' });
    const { Labels: { 'dev.oci-plone.record.v1': _, ...ownLabels } = {}, ...ownConfig } = own.config.config;
    assert.deepEqual([config, labels], [ownConfig, ownLabels]);
    assert.deepEqual({ ...other.config, config: null }, { ...own.config, config: null });
    assert.deepEqual(other.manifest.layers, own.manifest.layers);
    assert.equal((await inspect({ layout: folder })).sandbox, 'none');
    assert.equal((await inspect({ layout: output })).sandbox, null);
  });

  it('is all that inspect needs: no layer is read', async () => {
    const folder = join(lab.folder, 'small.oci');
    const small = await pack({ input: await writeApp(join(lab.folder, 'small.tar')), output: folder, env: {} });
    const whole = await inspect({ layout: folder });
    await run('rm', [join(folder, 'blobs', small.layers[0]?.digest.replace(':', '/') ?? '')]);
    assert.deepEqual(await inspect({ layout: folder }), whole);
    assert.equal(whole.digest, small.digest);
    assert.equal(whole.size, small.size);
  });
});

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
