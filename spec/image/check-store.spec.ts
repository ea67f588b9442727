import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { OciPloneError, exportTarball, pack } from '../../src/index.ts';
import { assertAsStored } from '../../src/image/check-store.ts';
import { cleanEnvironment, runCli } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, everythingIn, labFolder, writeApp } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const env = cleanEnvironment();
const run = promisify(execFile);

describe('--check-store', { skip: nix.skip || missing('bwrap', 'nix-store') }, () => {
  let lab: Folder;
  let store: string;
  let input: string;
  /** A file of a path that the application needs, where it lies on disk. */
  let file: string;
  before(async () => {
    lab = await labFolder();
    store = join(lab.folder, 'store');
    const packed = await pack({
      input: fixture('expressions', 'tiny.nix'),
      output: join(lab.folder, 'first.oci'),
      store,
      env,
    });
    const paths = packed.layers.flatMap(({ storePaths }) => storePaths);
    input = join(store, paths.find((path) => path.endsWith('-tiny-env')) ?? '');
    const found = await run('find', [join(store, 'nix/store'), '-type', 'f', '-path', '*-*/bin/*']);
    file = found.stdout.split('\n').find((line) => paths.some((path) => line.startsWith(join(store, path)))) ?? '';
    assert.notEqual(file, '');
  });
  after(() => lab.remove());

  const packs = (name: string, checkStore: boolean): ReturnType<typeof pack> =>
    pack({ input, output: join(lab.folder, name), store, env, checkStore });

  it('gives the same image from a store that is in order, as it does without', async () => {
    const { digest } = await packs('without.oci', false);
    assert.equal((await packs('with.oci', true)).digest, digest);
    assert.equal((await packs('with.oci', true)).unchanged, true);
    const { code, stdout, stderr } = await runCli(['pack', input, '--store', store, '--check-store', '-o', 'cli.oci'], {
      cwd: lab.folder,
    });
    assert.deepEqual([code, stdout], [0, `${digest}\n`], stderr);
  });

  /** Does something to the file's store path, and takes it back. */
  const DAMAGE: Readonly<Record<string, () => () => void>> = {
    'a byte is another': () => {
      const content = readFileSync(file);
      const bytes = Buffer.from(content);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      return () => writeFileSync(file, content);
    },
    'a file is longer': () => {
      const content = readFileSync(file);
      appendFileSync(file, '\n');
      return () => writeFileSync(file, content);
    },
    'a program is none any more': () => {
      chmodSync(file, 0o444);
      return () => chmodSync(file, 0o555);
    },
    'a file has another name': () => {
      renameSync(file, `${file}-moved`);
      return () => renameSync(`${file}-moved`, file);
    },
    'a file more is there': () => {
      writeFileSync(`${file}-more`, '');
      return () => rmSync(`${file}-more`);
    },
  };
  for (const [what, damage] of Object.entries(DAMAGE))
    it(`ends with 7 where ${what}, and names the path`, async () => {
      chmodSync(file, 0o755);
      chmodSync(join(file, '..'), 0o755);
      const undo = damage();
      try {
        const there = everythingIn(lab.folder);
        const args = ['pack', input, '--store', store, '--check-store', '-o', 'damaged.oci', '--entrypoint', '[]'];
        const { code, stdout, stderr } = await runCli(args, { cwd: lab.folder });
        assert.deepEqual([code, stdout], [7, ''], stderr);
        assert.match(stderr, /^oci-plone: DIGEST_MISMATCH: \/nix\/store\//m);
        assert.ok(stderr.includes(/\/nix\/store\/[^/]+/.exec(file.slice(store.length))?.[0] ?? 'no path'), stderr);
        // Not even where an image that was packed from the store before has the layer.
        await assert.rejects(packs('without.oci', true), hasCode('DIGEST_MISMATCH', 'INPUT_MALFORMED'));
        const output = join(lab.folder, 'damaged.nix.tar');
        await assert.rejects(
          exportTarball({ input, output, store, env, checkStore: true }),
          hasCode('DIGEST_MISMATCH'),
        );
        assert.deepEqual(everythingIn(lab.folder), there);
      } finally {
        undo();
      }
    });

  it('is for what comes from a store', async () => {
    const archive = await writeApp(join(lab.folder, 'app.nix.tar'));
    await assert.rejects(
      pack({ input: archive, output: join(lab.folder, 'x'), env, checkStore: true }),
      hasCode('USAGE'),
    );
  });

  it('names some of many paths', () => {
    const digest = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;
    const paths = Array.from({ length: 30 }, (_, index) => `/nix/store/${index}`);
    const known = new Map(paths.map((path) => [path, { narHash: digest('a'), narSize: 1 }]));
    const read = paths.map((path) => ({ path, narHash: digest('b'), narSize: 1 }));
    assert.throws(
      () => assertAsStored(known, read),
      (error) => error instanceof OciPloneError && error.message.endsWith('and 10 more'),
    );
    assertAsStored(
      known,
      paths.map((path) => ({ path, narHash: digest('a'), narSize: 1 })),
    );
  });
});
