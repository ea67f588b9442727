import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { OciPloneError } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import type { PushableImage } from '../../src/registry/push.ts';
import { missing } from '../support/fixtures.ts';
import { anonymous, isError, push, withLogin } from './expect.ts';
import { startRegistry } from '../support/registry.ts';
import { type RealRegistry, startRealRegistry } from './real-registry.ts';
import { blobOf, bytesNamed, imageOf, sampleImage } from './sample.ts';

const run = promisify(execFile);

/** `plone` with the password `pass:word/ö`, by bcrypt, which is the only hash that the registry takes. */
const HTPASSWD = 'plone:$2b$04$AiK7pJPFA59XM9fgvCn8OueeWaiJxhE3D5L7DR7.7u.9YHxiHeKr6\n';
const PASSWORD = 'pass:word/ö';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-spec-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startWithPassword(t: TestContext): Promise<RealRegistry> {
  const path = join(await temporary(t), 'htpasswd');
  await writeFile(path, HTPASSWD);
  const registry = await startRealRegistry({ htpasswd: { realm: 'spec', path } });
  t.after(() => registry.stop());
  return registry;
}

async function get(url: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } });
  assert.equal(response.status, 200, url);
  return Buffer.from(await response.arrayBuffer());
}

async function* nowhere(): AsyncGenerator<Uint8Array> {
  yield await readFile('/nowhere/at/all');
}

describe('pushImage to a docker-registry that asks for nothing', { skip: missing('docker-registry') }, () => {
  it('stores every blob and the manifest, byte for byte', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const image = sampleImage('bytes');
    await push(image, [`${registry.host}/team/plone:6.2`], anonymous);

    const api = `http://${registry.host}/v2/team/plone`;
    assert.deepEqual(await get(`${api}/manifests/6.2`), Buffer.from(image.manifestBytes));
    assert.deepEqual(await get(`${api}/manifests/${image.manifest.digest}`), Buffer.from(image.manifestBytes));
    for (const blob of image.blobs) {
      const pieces: Uint8Array[] = [];
      for await (const piece of blob.open()) pieces.push(piece);
      assert.deepEqual(await get(`${api}/blobs/${blob.descriptor.digest}`), Buffer.concat(pieces));
    }
  });

  it('is an image to skopeo', { skip: missing('skopeo') }, async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const folder = await temporary(t);
    const image = sampleImage('skopeo');
    await push(image, [`${registry.host}/plone`], anonymous);

    const name = `docker://${registry.host}/plone:latest`;
    const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', name]);
    assert.equal(stdout.trim(), image.manifest.digest);
    await run('skopeo', ['copy', '--src-tls-verify=false', '--preserve-digests', name, `dir:${folder}/copy`]);
    assert.deepEqual(await readFile(join(folder, 'copy', 'manifest.json')), Buffer.from(image.manifestBytes));
  });

  it('pushes by tag, by digest, and into several repositories in one call', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const image = sampleImage('several');
    const { digest } = image.manifest;
    const { host } = registry;
    await push(image, [`${host}/a:one`, `${host}/a:two@${digest}`, `${host}/b@${digest}`], anonymous);
    for (const path of ['a/manifests/one', 'a/manifests/two', `b/manifests/${digest}`])
      assert.deepEqual(await get(`http://${host}/v2/${path}`), Buffer.from(image.manifestBytes));
  });

  it('sends nothing twice', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const image = sampleImage('twice');
    const totals = new Set<number>();
    const options = {
      ...anonymous,
      onProgress: (event: ProgressEvent) => event.kind === 'push' && totals.add(event.total),
    };
    await push(image, [`${registry.host}/a:one`], options);
    const blobs = image.blobs.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
    assert.deepEqual([...totals], [blobs + image.manifest.size]);
    totals.clear();
    await push(image, [`${registry.host}/a:two`], options);
    assert.deepEqual([...totals], [image.manifest.size]);
  });

  it('takes an empty blob, the same blob twice, and 40 layers', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const many = Array.from({ length: 40 }, (_, number) => blobOf(bytesNamed(`layer ${number}`, 10_000 + number)));
    const image = imageOf([blobOf(new Uint8Array()), ...many, ...many.slice(0, 3)]);
    await push(image, [`${registry.host}/plone`], anonymous);
    assert.deepEqual(await get(`http://${registry.host}/v2/plone/manifests/latest`), Buffer.from(image.manifestBytes));
  });

  it('is sent by two jobs at once', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const image = sampleImage('jobs');
    await Promise.all(['one', 'two', 'one'].map((tag) => push(image, [`${registry.host}/plone:${tag}`], anonymous)));
  });

  it('counts its progress up to the total, and reaches it at the end alone', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const events: { bytes: number; total: number }[] = [];
    await push(sampleImage('progress'), [`${registry.host}/plone:1`, `${registry.host}/plone:2`], {
      ...anonymous,
      onProgress: (event) => event.kind === 'push' && events.push(event),
    });
    const last = events.pop();
    assert.ok(last !== undefined && last.bytes === last.total);
    assert.ok(events.length > 5);
    assert.ok(events.every(({ bytes, total }) => bytes < total && total === last.total));
    assert.ok(events.every(({ bytes }, number) => bytes > (events[number - 1]?.bytes ?? 0)));
  });

  it('does not put the manifest of a file that changed while it was read', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const layer = blobOf(bytesNamed('before', 300_000));
    const changed = (bytes: Uint8Array): PushableImage =>
      imageOf([{ descriptor: layer.descriptor, open: () => blobOf(bytes).open() }]);
    for (const bytes of [bytesNamed('after', 300_000), bytesNamed('before', 299_999), bytesNamed('before', 300_001)])
      await assert.rejects(push(changed(bytes), [`${registry.host}/plone`], anonymous), isError('DIGEST_MISMATCH'));
    assert.equal((await fetch(`http://${registry.host}/v2/plone/manifests/latest`)).status, 404);
    assert.equal((await fetch(`http://${registry.host}/v2/plone/blobs/${layer.descriptor.digest}`)).status, 404);
  });

  it('tells a file that cannot be read from a registry that does not answer', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const { descriptor } = blobOf(bytesNamed('gone', 1000));
    await assert.rejects(
      push(imageOf([{ descriptor, open: nowhere }]), [`${registry.host}/a`], anonymous),
      isError('LOCAL_IO'),
    );
  });

  it('stops in the middle of a blob when the signal fires', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const stop = new AbortController();
    const whole = blobOf(bytesNamed('abort', 4_000_000));
    const open = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of whole.open()) {
        yield piece;
        stop.abort();
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const image = imageOf([{ descriptor: whole.descriptor, open }]);
    await assert.rejects(
      push(image, [`${registry.host}/a`], { ...anonymous, signal: stop.signal }),
      isError('ABORTED'),
    );
    await assert.rejects(
      push(image, [`${registry.host}/a`], { ...anonymous, signal: AbortSignal.abort() }),
      isError('ABORTED'),
    );
  });
});

describe('pushImage to a docker-registry with htpasswd', { skip: missing('docker-registry') }, () => {
  it('answers its Basic challenge', async (t) => {
    const registry = await startWithPassword(t);
    await push(sampleImage('basic'), [`${registry.host}/plone`], withLogin(registry.host, 'plone', PASSWORD));
  });

  it('says AUTHENTICATION without credentials, with wrong ones, and with another host’s', async (t) => {
    const registry = await startWithPassword(t);
    const { host } = registry;
    for (const options of [
      anonymous,
      withLogin(host, 'plone', 'wrong'),
      withLogin(host, 'nobody', PASSWORD),
      withLogin('127.0.0.1', 'plone', PASSWORD),
      withLogin(`x${host}`, 'plone', PASSWORD),
    ])
      await assert.rejects(push(sampleImage('basic'), [`${host}/plone`], options), (error) => {
        isError('AUTHENTICATION')(error);
        assert.ok(error instanceof OciPloneError && error.exitCode === 5 && error.hint !== '');
        assert.ok(!`${error.message}${error.hint}`.includes(PASSWORD));
        return true;
      });
  });
});

describe('pushImage, before anything is sent', () => {
  it('refuses a reference with another digest, and an image whose manifest is another', async () => {
    const image = sampleImage('refused');
    const other = sampleImage('other');
    const to = (text: string): Promise<void> => push(image, [text], anonymous);
    await assert.rejects(to(`127.0.0.1:1/a@${other.manifest.digest}`), isError('USAGE'));
    await assert.rejects(to(`127.0.0.1:1/a:tag@${other.manifest.digest}`), isError('USAGE'));
    await assert.rejects(push(image, [], anonymous), isError('USAGE'));
    const broken = { ...image, manifestBytes: other.manifestBytes };
    await assert.rejects(push(broken, ['127.0.0.1:1/a'], anonymous), isError('DIGEST_MISMATCH'));
  });
});

describe('pushImage to nobody', () => {
  it('says NETWORK', async () => {
    // Port 1 of loopback: nothing listens there, and nothing leaves the machine.
    await assert.rejects(push(sampleImage('nobody'), ['127.0.0.1:1/a'], anonymous), isError('NETWORK'));
    await assert.rejects(push(sampleImage('nobody'), ['localhost:1/a'], anonymous), isError('NETWORK'));
  });
});
