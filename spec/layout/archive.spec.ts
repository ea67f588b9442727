import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { commitToArchive } from '../../src/layout/archive.ts';
import { Stage } from '../../src/layout/stage.ts';
import { digestOf } from '../../src/oci/document-digest.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { beside, stageImage } from '../support/layouts.ts';
import { scratch } from '../support/scratch.ts';

interface Made {
  readonly path: string;
  readonly digest: string;
  readonly layers: readonly string[];
  readonly config: string;
}

async function archived(t: TestContext, path = join(scratch(t), 'app.tar'), tag = 'v1'): Promise<Made> {
  const stage = Stage.open(path);
  try {
    const staged = await stageImage(stage, ['one', 'two']);
    await commitToArchive(stage, staged, { path, name: 'app', tag });
    return { path, digest: staged.image.digest, layers: staged.layers, config: staged.config };
  } finally {
    stage.close();
  }
}

function member(path: string, name: string): Buffer {
  return execFileSync('tar', ['--extract', '--to-stdout', '--file', path, name]);
}

const blob = (digest: string): string => digest.replace(/^sha256:/, 'blobs/sha256/');

describe('an image as one file', { skip: missing('tar') }, () => {
  it('has the layout and manifest.json at its top, names without ./, and nothing else', async (t) => {
    const { path, digest, layers, config } = await archived(t);
    const names = execFileSync('tar', ['--list', '--file', path]).toString().trim().split('\n');
    const blobs = [digest, config, ...layers].map(blob).sort();
    assert.deepEqual(names, ['blobs/', 'blobs/sha256/', ...blobs, 'index.json', 'manifest.json', 'oci-layout']);
  });

  it('has an exact marker, the tag in its index, and whole names for docker and containerd', async (t) => {
    const { path, digest, layers, config } = await archived(t);
    assert.equal(member(path, 'oci-layout').toString(), '{"imageLayoutVersion":"1.0.0"}');
    assert.deepEqual(JSON.parse(member(path, 'manifest.json').toString()), [
      { Config: blob(config), RepoTags: ['docker.io/library/app:v1'], Layers: layers.map(blob) },
    ]);
    const index: { readonly manifests: readonly { readonly digest: string; readonly annotations: object }[] } =
      JSON.parse(member(path, 'index.json').toString());
    assert.equal(index.manifests.length, 1);
    assert.equal(index.manifests[0]?.digest, digest);
    assert.deepEqual(index.manifests[0]?.annotations, {
      'io.containerd.image.name': 'docker.io/library/app:v1',
      'org.opencontainers.image.ref.name': 'v1',
    });
  });

  it('has blobs that are what they are named by', async (t) => {
    const { path, digest, layers, config } = await archived(t);
    for (const named of [digest, config, ...layers]) assert.equal(digestOf(member(path, blob(named))), named);
  });

  it('has the same bytes again', async (t) => {
    const [one, two] = [await archived(t), await archived(t)];
    assert.deepEqual(readFileSync(one.path), readFileSync(two.path));
  });

  it('replaces a file as a whole, leaves nothing beside it, and may be read by others', async (t) => {
    const path = join(scratch(t), 'app.tar');
    writeFileSync(path, 'old', { mode: 0o600 });
    const before = process.umask(0o022);
    t.after(() => process.umask(before));
    await archived(t, path);
    assert.deepEqual(beside(path), []);
    assert.deepEqual(readdirSync(join(path, '..')), ['app.tar']);
    assert.equal(statSync(path).mode & 0o777, 0o644);
  });

  it('cannot take the place of a folder', async (t) => {
    const path = join(scratch(t), 'app.tar');
    mkdirSync(path);
    await assert.rejects(archived(t, path), hasCode('LOCAL_IO'));
    assert.deepEqual(readdirSync(join(path, '..')), ['app.tar']);
  });

  it('is not written once the caller gave up', async (t) => {
    const path = join(scratch(t), 'app.tar');
    const stage = Stage.open(path);
    const staged = await stageImage(stage, ['one']);
    const options = { path, name: 'app', tag: 'v1', signal: AbortSignal.abort() };
    await assert.rejects(commitToArchive(stage, staged, options), hasCode('ABORTED'));
    stage.close();
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });
});

describe('skopeo reads an image as one file', { skip: missing('skopeo') }, () => {
  for (const kind of ['oci-archive', 'docker-archive'])
    it(`as ${kind}:`, async (t) => {
      const { path, layers } = await archived(t);
      const name = kind === 'oci-archive' ? `${kind}:${path}:v1` : `${kind}:${path}:docker.io/library/app:v1`;
      const seen: { readonly Architecture: string; readonly Layers: readonly string[] } = JSON.parse(
        execFileSync('skopeo', ['inspect', name]).toString(),
      );
      assert.equal(seen.Architecture, 'amd64');
      assert.equal(seen.Layers.length, layers.length);
      const copy = join(scratch(t), 'copy');
      execFileSync('skopeo', ['--insecure-policy', 'copy', name, `dir:${copy}`], { stdio: 'pipe' });
      assert.ok(readdirSync(copy).includes('manifest.json'));
    });
});
