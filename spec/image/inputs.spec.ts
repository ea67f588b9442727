import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { type PackResult, exportTarball, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, blobOf, entriesOf, labFolder, writeApp } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const env = cleanEnvironment();
const run = promisify(execFile);
const tiny = fixture('expressions', 'tiny.nix');
const noZstd = 'createZstdDecompress' in zlib ? false : `Node ${process.versions.node} has no zstd`;

describe('one environment', { skip: nix.skip || missing('bwrap', 'nix-store', 'tar', 'zstd') }, () => {
  let lab: Folder;
  let tarball: string;
  let expected: PackResult;
  before(async () => {
    lab = await labFolder();
    tarball = join(lab.folder, 'tiny.nix.tar.gz');
    // The article's builder, word for word, but for the packing user, who is not root there.
    const builder =
      'nix-build $1 -o app >/dev/null; tar cz --owner=packer:1234 --group=users:99 `nix-store -qR app` app';
    await run('sh', ['-euc', `${builder} > $2`, 'sh', tiny, tarball], { cwd: lab.folder, env });
    const plain = await run('sh', ['-euc', 'gunzip -c $1 > tiny.nix.tar; zstd -q tiny.nix.tar', 'sh', tarball], {
      cwd: lab.folder,
    });
    assert.equal(plain.stderr, '');
    expected = await packed(tiny, 'expected.oci');
  });
  after(() => lab.remove());

  function packed(input: string | Readable, output: string): Promise<PackResult> {
    return pack({ input, output: join(lab.folder, output), env });
  }

  it('comes from the builder without parents, without /tmp, and with the packer’s owner', async () => {
    const { stdout } = await run('tar', ['tvzf', tarball, '--numeric-owner']);
    const names = new Set(stdout.split('\n').map((line) => line.split(/\s+/)[5]));
    assert.ok(!names.has('nix/') && !names.has('nix/store/') && !names.has('tmp/'));
    assert.match(stdout, / 1234\/99 /);
  });

  const inputs: Readonly<Record<string, () => Promise<string | Readable>>> = {
    'the store path': async () => (await run('readlink', [join(lab.folder, 'app')])).stdout.trim(),
    'the link that nix-build left': () => Promise.resolve(join(lab.folder, 'app')),
    'a link to that link': async () => {
      await run('ln', ['-s', 'app', 'result'], { cwd: lab.folder });
      return join(lab.folder, 'result');
    },
    'the article’s tar.gz': () => Promise.resolve(tarball),
    'the article’s tar': () => Promise.resolve(join(lab.folder, 'tiny.nix.tar')),
    'a stream of the tar.gz': () => Promise.resolve(createReadStream(tarball)),
    'a stream of the tar': () => Promise.resolve(createReadStream(join(lab.folder, 'tiny.nix.tar'))),
  };
  for (const [name, input] of Object.entries(inputs))
    it(`gives the same image from ${name} as from its expression`, async () => {
      const { digest, layers } = await packed(await input(), 'other.oci');
      assert.deepEqual(layers, expected.layers);
      assert.equal(digest, expected.digest);
    });

  it('gives the same image from the article’s tar.zst', { skip: noZstd }, async () => {
    assert.equal((await packed(join(lab.folder, 'tiny.nix.tar.zst'), 'zstd.oci')).digest, expected.digest);
  });

  it(
    'is a usage error as tar.zst on a Node without zstd',
    { skip: noZstd === false && 'this Node has zstd' },
    async () => {
      await assert.rejects(packed(join(lab.folder, 'tiny.nix.tar.zst'), 'zstd.oci'), hasCode('USAGE'));
    },
  );

  it('gives a layer of store paths, and one of the rest, with every parent before what it holds, of root, of time 1', async () => {
    const all = new Set<string>();
    for (const { digest, storePaths } of expected.layers) {
      const entries = await entriesOf(blobOf(join(lab.folder, 'expected.oci'), digest));
      const inStore = entries.filter(({ name }) => /^nix\/store\/./.test(name));
      assert.equal(inStore.length === 0, storePaths.length === 0);
      if (storePaths.length > 0) assert.equal(inStore.length + 2, entries.length, 'nothing beside nix/ and nix/store/');
      check(entries, all);
    }
    for (const name of ['app', 'nix/', 'nix/store/', 'tmp/', 'etc/passwd']) assert.ok(all.has(name), name);
  });

  function check(entries: Awaited<ReturnType<typeof entriesOf>>, all: Set<string>): void {
    const seen = new Set<string>();
    for (const { name, uid, gid, uname, gname, mtime, type, linkname } of entries) {
      const parent = name.replace(/[^/]+\/?$/, '');
      assert.ok(parent === '' || seen.has(parent), `${name} comes before its folder`);
      assert.ok(!seen.has(name), `${name} is there twice`);
      assert.deepEqual([uid, gid, uname, gname, mtime.getTime()], [0, 0, '', '', 1000], name);
      assert.equal(name.endsWith('/'), type === 'directory', name);
      assert.ok(!name.startsWith('/') && !name.startsWith('./'), name);
      assert.notEqual(type, 'link', name);
      if (name === 'app')
        assert.equal(
          linkname,
          expected.layers[0]?.storePaths.find((path) => path.endsWith('-tiny-env')),
        );
      seen.add(name);
      all.add(name);
    }
  }

  for (const name of ['exported.nix.tar', 'exported.nix.tar.gz'])
    it(`goes through ${name} of our own to the same layer`, async () => {
      const output = join(lab.folder, name);
      const first = await exportTarball({ input: tiny, output, env });
      const second = await exportTarball({ input: tarball, output: join(lab.folder, `second-${name}`), env });
      assert.equal(second.digest, first.digest);
      assert.deepEqual(first.storePaths, expected.layers[0]?.storePaths);
      assert.equal((await packed(output, 'again.oci')).digest, expected.digest);
    });

  it('is not packed where there are several to choose from', async () => {
    const input = fixture('expressions', 'several.nix');
    const options = { input, output: join(lab.folder, 'several.oci'), env };
    await assert.rejects(pack(options), (error: Error) => {
      assert.match(error.message, /first.*second/);
      return hasCode('USAGE')(error);
    });
    const { layers } = await pack({ ...options, attribute: 'second', entrypoint: [] });
    const entries = await entriesOf(blobOf(options.output, layers[0]?.digest ?? ''));
    assert.equal(entries.find(({ name }) => name.endsWith('/bin/python'))?.content, 'second');
  });

  it('takes arguments', async () => {
    const input = fixture('expressions', 'arguments.nix');
    const options = { input, output: join(lab.folder, 'arguments.oci'), env };
    await assert.rejects(pack(options), hasCode('NIX_FAILED'));
    const { layers } = await pack({ ...options, argstrs: { greeting: 'hello there' }, args: { count: '1 + 1' } });
    const entries = await entriesOf(blobOf(options.output, layers[0]?.digest ?? ''));
    assert.equal(entries.find(({ name }) => name.endsWith('/bin/python'))?.content, 'hello there\nhello there');
  });
});

describe('an input', () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
  });
  after(() => lab.remove());

  it('is an archive by its first bytes, whatever its name', async () => {
    const input = await writeApp(join(lab.folder, 'app.png'));
    assert.match((await pack({ input, output: join(lab.folder, 'app.oci'), env: {} })).digest, /^sha256:/);
  });

  const bad: readonly (readonly [string, string | null])[] = [
    ['text.tar.gz', 'not an archive\n'],
    ['empty.tar', ''],
    ['short.tar.gz', '\u001f'],
    ['absent.tar.gz', null],
    ['absent.nix', null],
  ];
  for (const [name, content] of bad)
    it(`is bad input: ${name}`, async () => {
      const input = join(lab.folder, name);
      if (content !== null) await writeFile(input, content);
      const packing = pack({ input, output: join(lab.folder, 'bad.oci'), env: {} });
      await assert.rejects(packing, hasCode(content === null ? 'INPUT_ABSENT' : 'INPUT_MALFORMED'));
    });

  it('is bad input: a folder', async () => {
    await assert.rejects(pack({ input: lab.folder, output: 'x.oci', env: {} }), hasCode('INPUT_MALFORMED'));
  });
});
