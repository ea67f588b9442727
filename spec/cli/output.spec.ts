import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type CliOptions, type Finished, cliMain, runCli } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { APP_PATH, type Folder, blobOf, documentsOf, everythingIn, labFolder, writeApp } from '../support/packed.ts';
import { startRegistry } from '../support/registry.ts';

const nix = await nixpkgsFixture();
const DIGEST = /^sha256:[0-9a-f]{64}\n$/;

describe('what the command line prints', () => {
  let lab: Folder;
  beforeEach(async () => {
    lab = await labFolder();
    await writeApp(join(lab.folder, 'app.nix.tar'));
  });
  afterEach(() => lab.remove());

  async function done(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
    const finished = await runCli(args, { cwd: lab.folder, ...options });
    assert.equal(finished.code, 0, finished.stderr);
    return finished;
  }

  it('is the digest alone, and progress elsewhere', async () => {
    const { stdout, stderr } = await done(['pack', 'app.nix.tar']);
    assert.match(stdout, DIGEST);
    assert.equal(stdout.trim(), documentsOf(join(lab.folder, 'app.oci')).descriptor.digest);
    assert.notEqual(stderr, '');
    assert.ok(!stderr.includes('\u001b') && !stderr.includes('\r'), stderr);
  });

  it('names the layout as seen from where the user is', async () => {
    const here = await done(['pack', 'app.nix.tar']);
    assert.match(here.stderr, /^packed: 1 store path, 0\.0 MB, app\.oci:latest$/m);
    const cwd = join(lab.folder, 'elsewhere');
    await mkdir(cwd);
    const elsewhere = await done(['pack', '../app.nix.tar', '-o', '../other.oci'], { cwd });
    assert.ok(elsewhere.stderr.includes(`MB, ${join(lab.folder, 'other.oci')}:latest\n`), elsewhere.stderr);
  });

  it('is nothing but the digest with --quiet', async () => {
    const { stdout, stderr } = await done(['pack', 'app.nix.tar', '--quiet']);
    assert.match(stdout, DIGEST);
    assert.equal(stderr, '');
  });

  it('is nothing but the digest with --quiet, whatever Nix says', { skip: nix.skip || missing('bwrap') }, async () => {
    const { stdout, stderr } = await done(['pack', fixture('expressions', 'tiny.nix'), '-q', '--store', 'fresh']);
    assert.match(stdout, DIGEST);
    assert.equal(stderr, '');
  });

  it('is one JSON document of exactly these fields: pack', async () => {
    const { stdout } = await done(['pack', 'app.nix.tar', '--json', '-t', 'v1']);
    const layout = join(lab.folder, 'app.oci');
    const { descriptor, manifest, config } = documentsOf(layout, 'v1');
    const expected = {
      digest: descriptor.digest,
      mediaType: descriptor.mediaType,
      size: [descriptor, manifest.config, ...manifest.layers].reduce(
        (sum, { digest }) => sum + blobOf(layout, digest).length,
        0,
      ),
      references: [`${layout}:v1`],
      layout,
      unchanged: false,
      config: { digest: manifest.config.digest, size: manifest.config.size },
      layers: manifest.layers.map(({ digest, size, mediaType }, index) => ({
        digest,
        size,
        diffId: config.rootfs.diff_ids[index],
        mediaType,
        storePaths: index === 0 ? [APP_PATH] : [],
      })),
    };
    assert.deepEqual(JSON.parse(stdout), expected);
    assert.equal(stdout.split('\n').length, 2);
    const again = await done(['pack', 'app.nix.tar', '--json', '-t', 'v1']);
    assert.deepEqual(JSON.parse(again.stdout), { ...expected, unchanged: true });
  });

  it('is the digest, or one JSON document: push', { skip: missing('docker-registry') }, async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const { stdout: digest } = await done(['pack', 'app.nix.tar']);
    const pushed = await done(['push', 'app.oci', `${registry.host}/a`]);
    assert.equal(pushed.stdout, digest);
    const quiet = await done(['push', 'app.oci', `${registry.host}/b`, '--quiet']);
    assert.deepEqual([quiet.stdout, quiet.stderr], [digest, '']);
    const json = await done(['push', 'app.oci', `${registry.host}/a`, `${registry.host}/b:c`, '--json']);
    const references = [`${registry.host}/a:latest`, `${registry.host}/b:c`];
    assert.deepEqual(JSON.parse(json.stdout), { digest: digest.trim(), references });
    const alone = await done(['pack', 'app.nix.tar', '--push', `${registry.host}/d`, '--json']);
    const { layout, references: only }: Record<string, unknown> = JSON.parse(alone.stdout);
    assert.deepEqual([layout, only], [null, [`${registry.host}/d:latest`]]);
  });

  it('is the image’s config, layers, store paths and sizes: inspect', async () => {
    const { stdout: digest } = await done(['pack', 'app.nix.tar', '--label', 'org.example.a=b']);
    const text = await done(['inspect', 'app.oci']);
    for (const part of [digest.trim(), APP_PATH, '/app/bin/python', 'linux/amd64', 'org.example.a'])
      assert.ok(text.stdout.includes(part), part);
    assert.equal(text.stderr, '');
    const { stdout } = await done(['inspect', 'app.oci:latest', '--json']);
    const result: { layers: { storePaths: { path: string; narSize: number }[] }[] } & Record<string, unknown> =
      JSON.parse(stdout);
    const { manifest, config } = documentsOf(join(lab.folder, 'app.oci'));
    const { 'dev.oci-plone.record.v1': _, ...Labels } = config.config.Labels ?? {};
    assert.equal(result['digest'], digest.trim());
    assert.deepEqual(result['config'], { ...config.config, Labels });
    assert.deepEqual(
      result.layers.map((layer) => layer.storePaths.map(({ path }) => path)),
      [[APP_PATH], []],
    );
    assert.ok((result.layers[0]?.storePaths[0]?.narSize ?? 0) > 0);
    assert.equal(result.layers.length, manifest.layers.length);
  });

  it('is the folder, a diff, or one JSON document, and reports elsewhere: instance', async () => {
    const folder = fixture('instances', 'plone-5.2');
    const diff = await done(['instance', folder, '--dry-run']);
    assert.match(diff.stdout, /^--- /);
    assert.match(diff.stdout, /^\+zope_conf = \/opt\/parts\/instance\/etc\/zope\.conf$/m);
    assert.ok(!everythingIn(lab.folder).includes('plone-5.2.instance'));
    const written = await done(['instance', folder]);
    assert.equal(written.stdout, `${join(lab.folder, 'plone-5.2.instance')}\n`);
    const places = written.stderr.split('\n').map((line) => line.replace(folder, ''));
    assert.ok(
      places.some((line) => line.startsWith('leftover: /parts/instance/etc/wsgi.ini:74: ')),
      written.stderr,
    );
    assert.ok(
      places.some((line) => line.startsWith('warning: /parts/instance/etc/wsgi.ini:4: ')),
      written.stderr,
    );
    assert.equal(diff.stderr, written.stderr);
    const json = await done(['instance', folder, '-o', 'other', '--json', '--mount', '/srv/plone']);
    const document: Record<string, unknown> = JSON.parse(json.stdout);
    assert.deepEqual(Object.keys(document), [
      'folder',
      'mount',
      'era',
      'changed',
      'removed',
      'backups',
      'warnings',
      'leftovers',
      'diff',
    ]);
    assert.deepEqual([document['folder'], document['mount']], [join(lab.folder, 'other'), '/srv/plone']);
    await cp(folder, join(lab.folder, 'here'), { recursive: true });
    await appendFile(join(lab.folder, 'here/parts/instance/etc/zope.conf'), '\nexample /srv/\u001b[2J\n');
    const inPlace = await done(['instance', 'here', '--in-place']);
    assert.ok(inPlace.stderr.includes('/srv/\\x1b[2J') && !inPlace.stderr.includes('\u001b'), inPlace.stderr);
    assert.equal(inPlace.stdout, `${join(lab.folder, 'here')}\n`);
    assert.match(inPlace.stderr, /^note: .*parts\/instance\.orig$/m);
  });

  it('may go to a reader that has enough', async () => {
    await done(['pack', 'app.nix.tar']);
    const pipe = 'trap "" PIPE; "$1" "$2" inspect app.oci | true; echo "${PIPESTATUS[0]}"';
    const { stdout, stderr } = await runCli([], {
      cwd: lab.folder,
      through: ['bash', '-c', pipe, 'bash', process.execPath, cliMain],
    });
    assert.deepEqual([stdout, stderr], ['0\n', '']);
  });

  it('is one line more where nothing names a platform', async () => {
    await writeApp(join(lab.folder, 'script.nix.tar'), { program: '#!/bin/sh\n' });
    const { stdout, stderr } = await done(['pack', 'script.nix.tar']);
    assert.match(stdout, DIGEST);
    assert.equal(stderr.split('\n').filter((line) => line.includes('linux/amd64')).length, 1);
  });

  describe('goes with an output', () => {
    it('named by the input, in the folder it is called in', async () => {
      const bytes = await readFile(join(lab.folder, 'app.nix.tar'));
      await mkdir(join(lab.folder, 'in'));
      await mkdir(join(lab.folder, 'work'));
      const inputs = { 'a.nix.tar': 'a', 'b.nix.tar.gz': 'b', 'c.tgz': 'c', 'd.tar': 'd', 'e.f': 'e.f' };
      for (const [name, output] of Object.entries(inputs)) {
        const input = join(lab.folder, 'in', name);
        await writeFile(input, name.endsWith('gz') ? gzipSync(bytes) : bytes);
        const { stdout } = await done(['pack', input], { cwd: join(lab.folder, 'work') });
        assert.equal(documentsOf(join(lab.folder, 'work', `${output}.oci`)).descriptor.digest, stdout.trim());
      }
    });

    it('named by an expression', { skip: nix.skip || missing('bwrap') }, async () => {
      await copyFile(fixture('expressions', 'tiny.nix'), join(lab.folder, 'plone-env.nix'));
      const { stdout } = await done(['pack', 'plone-env.nix']);
      assert.equal(documentsOf(join(lab.folder, 'plone-env.oci')).descriptor.digest, stdout.trim());
    });

    it('of stdin', async () => {
      const stdin = join(lab.folder, 'app.nix.tar');
      const { stdout } = await done(['pack', '-', '-o', 'stdin.oci'], { stdin });
      assert.equal(stdout, (await done(['pack', 'app.nix.tar'])).stdout);
      assert.equal(documentsOf(join(lab.folder, 'stdin.oci')).descriptor.digest, stdout.trim());
    });

    it('that is the tarball in the middle: X.nix.tar and X.nix.tar.gz', async () => {
      const { stdout: expected } = await done(['pack', 'app.nix.tar']);
      for (const name of ['x.nix.tar', 'x.nix.tar.gz']) {
        const { stdout } = await done(['pack', 'app.nix.tar', '-o', name]);
        assert.match(stdout, DIGEST);
        const json = await done(['pack', 'app.nix.tar', '-o', name, '--json']);
        const { size, diffId }: { readonly size: number; readonly diffId: string } = JSON.parse(json.stdout);
        assert.deepEqual(JSON.parse(json.stdout), {
          digest: stdout.trim(),
          size,
          diffId,
          tarball: join(lab.folder, name),
          storePaths: [APP_PATH],
        });
        const bytes = await readFile(join(lab.folder, name));
        assert.equal(size, bytes.length);
        const plain = name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
        assert.equal(diffId, `sha256:${createHash('sha256').update(plain).digest('hex')}`);
        assert.equal((await done(['pack', name, '-o', 'again.oci'])).stdout, expected);
        await rm(join(lab.folder, 'again.oci'), { recursive: true });
      }
    });
  });
});
