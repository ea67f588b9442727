import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCli } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { APP_PATH, type Folder, everythingIn, indexOf, labFolder, writeApp } from '../support/packed.ts';
import { noSmallDisk, withSmallDisk } from '../support/small-disk.ts';

const nix = await nixpkgsFixture();

describe('a full disk: exit 9, nothing written, nothing left behind', { skip: noSmallDisk }, () => {
  let lab: Folder;
  let small: string;
  let large: string;
  before(async () => {
    lab = await labFolder();
    mkdirSync(join(lab.folder, 'tmp'));
    small = await writeApp(join(lab.folder, 'small.nix.tar'));
    large = await writeApp(join(lab.folder, 'large.nix.tar'), {
      more: [{ name: `${APP_PATH.slice(1)}/big`, content: randomBytes(5 * 1024 * 1024) }],
    });
    writeFileSync(`${large}.gz`, gzipSync(readFileSync(large), { level: 1 }));
  });
  after(() => lab.remove());

  async function fails(args: readonly string[], folder: string, tmp = join(lab.folder, 'tmp')): Promise<void> {
    const there = everythingIn(folder);
    const { code, stdout, stderr } = await runCli(args, { cwd: folder, env: { TMPDIR: tmp } });
    assert.deepEqual([code, stdout], [9, ''], stderr);
    assert.match(stderr, /^oci-plone: LOCAL_IO: \S/m);
    assert.match(stderr, /space/);
    assert.deepEqual(everythingIn(folder), there);
    assert.deepEqual(everythingIn(tmp), []);
  }

  for (const output of ['x.oci', 'x.tar', 'x.nix.tar', 'x.nix.tar.gz'])
    it(`where ${output} is written`, () => withSmallDisk(2, (disk) => fails(['pack', large, '-o', output], disk)));

  it('where the archive is spooled', () =>
    withSmallDisk(2, (disk) => fails(['pack', `${large}.gz`, '-o', 'x.oci'], disk)));

  it('where the blob is kept verbatim', () =>
    withSmallDisk(2, (disk) => fails(['pack', `${large}.gz`, '-o', 'x.oci', '--layers=verbatim'], disk)));

  it('where an image archive takes its layers a second time', () =>
    withSmallDisk(8, (disk) => fails(['pack', large, '-o', 'x.tar'], disk)));

  it('where TMPDIR is, of an image that is only pushed', () =>
    withSmallDisk(2, (disk) => fails(['pack', large, '--push', '127.0.0.1:1/x'], disk, disk)));

  it('where TMPDIR is, of an archive that is inspected', () =>
    withSmallDisk(2, (disk) => fails(['inspect', `${large}.gz`], disk, disk)));

  it('where another layer is added to a layout, which stays as it was', () =>
    withSmallDisk(2, async (disk) => {
      const first = await runCli(['pack', small, '-o', 'x.oci'], { cwd: disk });
      assert.equal(first.code, 0, first.stderr);
      await fails(['pack', large, '-o', 'x.oci', '-t', 'other'], disk);
      assert.deepEqual(
        indexOf(join(disk, 'x.oci')).map(({ digest }) => digest),
        [first.stdout.trim()],
      );
    }));

  it('where Nix keeps its store is Nix’s own failure', { skip: nix.skip || missing('bwrap') }, () =>
    withSmallDisk(3, async (disk) => {
      const args = ['pack', fixture('expressions', 'tiny.nix'), '--store', join(disk, 'store'), '-o', 'x.oci'];
      const { code, stdout } = await runCli(args, { cwd: lab.folder });
      assert.deepEqual([code, stdout], [4, '']);
      assert.ok(!everythingIn(lab.folder).some((name) => name.includes('x.oci')));
    }),
  );
});
