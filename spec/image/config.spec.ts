import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type PackOptions, pack } from '../../src/index.ts';
import { hasCode } from '../support/codes.ts';
import { type Folder, type LayoutDocuments, blobOf, documentsOf, labFolder, writeApp } from '../support/packed.ts';

describe('the config and the manifest', () => {
  let lab: Folder;
  let input: string;
  before(async () => {
    lab = await labFolder();
    input = await writeApp(join(lab.folder, 'app.nix.tar'));
  });
  after(() => lab.remove());

  async function packed(options: Partial<PackOptions>): Promise<LayoutDocuments> {
    const output = join(lab.folder, 'app.oci');
    await pack({ input, output, env: {}, ...options });
    return documentsOf(output);
  }

  it('are those of an image that starts /app/bin/python as uid 1000', async () => {
    const { descriptor, manifest, config } = await packed({});
    const { Labels, ...runtime } = config.config;
    assert.deepEqual(runtime, {
      Entrypoint: ['/app/bin/python'],
      Env: ['PATH=/app/bin', 'HOME=/tmp'],
      User: '1000',
      ExposedPorts: { '8080/tcp': {} },
    });
    assert.deepEqual(Object.keys(Labels ?? {}), ['dev.oci-plone.record.v1']);
    assert.equal(config.os, 'linux');
    assert.equal(config.architecture, 'amd64');
    assert.equal(config.variant, undefined);
    assert.deepEqual(descriptor.platform, { os: 'linux', architecture: 'amd64' });
    assert.equal(manifest.annotations, undefined);
    assert.equal(manifest.mediaType, 'application/vnd.oci.image.manifest.v1+json');
    assert.equal(descriptor.mediaType, manifest.mediaType);
    assert.equal(manifest.config.mediaType, 'application/vnd.oci.image.config.v1+json');
    assert.equal(config.created, '1970-01-01T00:00:00Z');
  });

  const runtime: readonly (readonly [Partial<PackOptions>, string, unknown])[] = [
    [{ entrypoint: ['/app/bin/python', '-I'] }, 'Entrypoint', ['/app/bin/python', '-I']],
    [{ entrypoint: [] }, 'Entrypoint', undefined],
    [{ cmd: ['-m', 'webapp'] }, 'Cmd', ['-m', 'webapp']],
    [{ environment: ['A=1', 'B=x=y'] }, 'Env', ['PATH=/app/bin', 'HOME=/tmp', 'A=1', 'B=x=y']],
    [{ environment: ['HOME=/data'] }, 'Env', ['PATH=/app/bin', 'HOME=/data']],
    [{ environment: ['EMPTY='] }, 'Env', ['PATH=/app/bin', 'HOME=/tmp', 'EMPTY=']],
    [{ workdir: '/data' }, 'WorkingDir', '/data'],
    [{ volumes: ['/data', '/cache'] }, 'Volumes', { '/data': {}, '/cache': {} }],
    [{ stopSignal: 'SIGINT' }, 'StopSignal', 'SIGINT'],
    [{ stopSignal: '2' }, 'StopSignal', '2'],
    [{ ports: ['8080', '53/udp'] }, 'ExposedPorts', { '8080/tcp': {}, '53/udp': {} }],
    [{ ports: [] }, 'ExposedPorts', undefined],
    [{ user: '1234' }, 'User', '1234'],
    [{ user: '1234:99' }, 'User', '1234:99'],
    [{ user: 'root' }, 'User', 'root'],
  ];
  for (const [options, key, expected] of runtime)
    it(`have ${JSON.stringify(options)} as ${key}`, async () => {
      const { config } = await packed(options);
      assert.deepEqual(config.config[key], expected);
    });

  it('have labels in the config and annotations in the manifest', async () => {
    const { config, manifest } = await packed({
      labels: { 'org.example.a': '1' },
      annotations: { 'org.example.b': '2' },
    });
    assert.equal(config.config.Labels?.['org.example.a'], '1');
    assert.equal(config.config.Labels?.['org.example.b'], undefined);
    assert.deepEqual(manifest.annotations, { 'org.example.b': '2' });
  });

  it('never say HEALTHCHECK, which is Docker’s', async () => {
    const { config } = await packed({});
    assert.equal('Healthcheck' in config.config, false);
  });

  it('count as many history entries as diff_ids', async () => {
    const { config, manifest } = await packed({});
    const written = config.history.filter((entry) => entry['empty_layer'] !== true);
    assert.equal(written.length, config.rootfs.diff_ids.length);
    assert.equal(manifest.layers.length, config.rootfs.diff_ids.length);
    assert.equal(config.rootfs.type, 'layers');
  });

  it('say the created time as RFC 3339, from SOURCE_DATE_EPOCH', async () => {
    const { config } = await packed({ env: { SOURCE_DATE_EPOCH: '1700000000' } });
    assert.equal(config.created, '2023-11-14T22:13:20Z');
    for (const entry of config.history) assert.equal(entry['created'], config.created);
  });

  it('are JSON of sorted keys without white space, of the stated size', async () => {
    const { descriptor, manifest } = await packed({ labels: { z: 'ü', a: '1' } });
    for (const { digest, size } of [descriptor, manifest.config]) {
      const bytes = blobOf(join(lab.folder, 'app.oci'), digest);
      assert.equal(bytes.length, size);
      const value: unknown = JSON.parse(bytes.toString('utf8'));
      assert.equal(JSON.stringify(sorted(value)), bytes.toString('utf8'));
    }
  });

  const wrong: readonly Partial<PackOptions>[] = [
    { environment: ['NOTHING'] },
    { workdir: 'data' },
    { volumes: ['data'] },
    { ports: ['0'] },
    { ports: ['65536'] },
    { ports: ['http'] },
    { ports: ['80/icmp'] },
    { stopSignal: 'INT' },
    { user: 'a b' },
    { user: '' },
    { platform: 'amd64' },
    { tag: 'no tag' },
    { timeout: 0 },
    { limits: { entries: 0 } },
    { push: ['lower/CASE'] },
    { env: { SOURCE_DATE_EPOCH: '2023-11-14' } },
    { output: 'image.tar.gz' },
  ];
  for (const options of wrong)
    it(`are not made from ${JSON.stringify(options)}`, async () => {
      await assert.rejects(packed(options), hasCode('USAGE'));
    });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
