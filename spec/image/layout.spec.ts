import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type PackOptions, type PackResult, inspect, pack } from '../../src/index.ts';
import { hasCode } from '../support/codes.ts';
import { type Folder, blobOf, documentsOf, everythingIn, indexOf, labFolder, writeApp } from '../support/packed.ts';

const run = promisify(execFile);

describe('an image layout', () => {
  let lab: Folder;
  let output: string;
  beforeEach(async () => {
    lab = await labFolder();
    output = join(lab.folder, 'app.oci');
  });
  afterEach(() => lab.remove());

  async function packed(program: string, options: Partial<PackOptions> = {}): Promise<PackResult> {
    const input = await writeApp(join(lab.folder, 'app.nix.tar'), { program });
    return pack({ input, output, env: {}, ...options });
  }

  it('holds oci-layout, index.json and the blobs that are referenced, and nothing else', async () => {
    const { digest, config, layers } = await packed('one');
    assert.equal(await readFile(join(output, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
    const blobs = [digest, config.digest, ...layers.map((layer) => layer.digest)];
    const expected = ['blobs', 'blobs/sha256', 'index.json', 'oci-layout', ...blobs.map((name) => pathOf(name))];
    assert.deepEqual(everythingIn(output), expected.toSorted());
    assert.deepEqual((await readdir(lab.folder)).toSorted(), ['app.nix.tar', 'app.oci']);
  });

  it('has the tag in index.json alone, with size and platform', async () => {
    const { digest } = await packed('one', { tag: '6.2' });
    const [descriptor, ...more] = indexOf(output);
    assert.deepEqual(more, []);
    assert.deepEqual(descriptor, {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest,
      size: blobOf(output, digest).length,
      annotations: { 'org.opencontainers.image.ref.name': '6.2' },
      platform: { os: 'linux', architecture: 'amd64' },
    });
    assert.doesNotMatch(JSON.stringify(documentsOf(output, '6.2').manifest), /ref\.name/);
  });

  it('is unchanged by the same image, and says so', async () => {
    assert.equal((await packed('one')).unchanged, false);
    const before = await contentOf(output);
    assert.equal((await packed('one')).unchanged, true);
    assert.deepEqual(await contentOf(output), before);
    assert.equal((await packed('two')).unchanged, false);
  });

  it('gets a second reference, and DIR:TAG selects', async () => {
    const one = await packed('one', { tag: 'one' });
    const two = await packed('two', { tag: 'two' });
    assert.equal((await packed('two', { tag: 'three' })).unchanged, false);
    assert.deepEqual(
      indexOf(output).map(({ annotations, digest }) => [annotations?.['org.opencontainers.image.ref.name'], digest]),
      [
        ['one', one.digest],
        ['two', two.digest],
        ['three', two.digest],
      ],
    );
    assert.equal((await inspect({ layout: `${output}:one` })).digest, one.digest);
    assert.equal((await inspect({ layout: `${output}:two` })).digest, two.digest);
    await assert.rejects(inspect({ layout: output }), hasCode('USAGE'));
    await assert.rejects(inspect({ layout: `${output}:four` }), hasCode('INPUT_ABSENT'));
  });

  it('loses the blobs of a reference that is replaced, but those that another one needs', async () => {
    const one = await packed('one', { tag: 'kept' });
    await packed('one', { tag: 'moved' });
    const two = await packed('two', { tag: 'moved' });
    const three = await packed('three', { tag: 'moved' });
    const names = await readdir(join(output, 'blobs/sha256'));
    const has = ({ digest, config, layers }: PackResult): boolean[] =>
      [digest, config.digest, layers[0]?.digest ?? ''].map((name) => names.includes(name.slice(7)));
    assert.deepEqual(
      [has(one), has(two), has(three)],
      [Array(3).fill(true), Array(3).fill(false), Array(3).fill(true)],
    );
  });

  it('keeps references and blobs of other tools', async () => {
    const index = join(output, 'index.json');
    const { digest, config } = await packed('one', { tag: 'own' });
    const other = { mediaType: 'application/vnd.example+json', digest: config.digest, size: config.size };
    const foreign: { manifests: object[] } = JSON.parse(await readFile(index, 'utf8'));
    foreign.manifests.push(other);
    await writeFile(index, JSON.stringify(foreign));
    await packed('two', { tag: 'own' });
    assert.ok(indexOf(output).some((descriptor) => descriptor.digest === other.digest));
    assert.ok(everythingIn(output).includes(pathOf(config.digest)));
    assert.ok(!everythingIn(output).includes(pathOf(digest)));
  });

  it('is not written over what is no layout', async () => {
    await run('mkdir', [output]);
    await writeFile(join(output, 'precious'), 'data');
    await assert.rejects(packed('one'), hasCode('LOCAL_IO'));
    assert.deepEqual(everythingIn(output), ['precious']);
    await writeFile(join(lab.folder, 'file.oci'), 'data');
    await assert.rejects(packed('one', { output: join(lab.folder, 'file.oci') }), hasCode('LOCAL_IO'));
    assert.equal(await readFile(join(lab.folder, 'file.oci'), 'utf8'), 'data');
  });

  it('is looked at before anything is read or built', async () => {
    await writeFile(join(lab.folder, 'broken.tar'), 'not an archive');
    await mkdir(output);
    await writeFile(join(output, 'own'), '');
    const packing = pack({ input: join(lab.folder, 'broken.tar'), output, env: {} });
    await assert.rejects(packing, hasCode('LOCAL_IO'));
  });

  it('may be an empty folder before', async () => {
    await run('mkdir', [output]);
    await packed('one');
    assert.equal(indexOf(output).length, 1);
  });

  it('takes two packs at once', async () => {
    const input = await writeApp(join(lab.folder, 'app.nix.tar'));
    const tags = ['a', 'b', 'c', 'd'];
    await Promise.all(tags.map((tag) => pack({ input, output, tag, labels: { tag }, env: {} })));
    for (const tag of tags) assert.equal((await inspect({ layout: `${output}:${tag}` })).tag, tag);
    assert.deepEqual((await readdir(lab.folder)).toSorted(), ['app.nix.tar', 'app.oci']);
  });

  it('is cleared of what a kill left beside it, and of nothing else', async () => {
    // As stage.ts names its folder and lock.ts its lock: of a boot that is over.
    await run('mkdir', [join(lab.folder, '.app.oci.oci-plone-00000000.1.1.1-abc')]);
    await writeFile(join(lab.folder, '.app.oci.oci-plone.lock'), '00000000.1.1.1');
    await writeFile(join(lab.folder, '.other.oci.oci-plone-00000000.1.1.1-abc'), '');
    await packed('one');
    assert.deepEqual((await readdir(lab.folder)).toSorted(), [
      '.other.oci.oci-plone-00000000.1.1.1-abc',
      'app.nix.tar',
      'app.oci',
    ]);
  });

  it('is named by the input where nothing else names it', async () => {
    const input = await writeApp(join(lab.folder, 'default-name.nix.tar'));
    const { layout } = await pack({ input, env: {}, output: undefined, push: [] });
    await run('rm', ['-rf', 'default-name.oci']);
    assert.equal(layout, join(process.cwd(), 'default-name.oci'));
  });
});

function pathOf(digest: string): string {
  return join('blobs', digest.replace(':', '/'));
}

async function contentOf(layout: string): Promise<readonly (readonly [string, string])[]> {
  const files = everythingIn(layout).filter((name) => /json$|layout$|[0-9a-f]{64}$/.test(name));
  return Promise.all(files.map(async (name) => [name, await readFile(join(layout, name), 'latin1')] as const));
}
