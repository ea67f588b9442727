import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CliOptions, cleanEnvironment, runCli } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, documentsOf, everythingIn, labFolder, tarOf, writeApp } from '../support/packed.ts';
import { startRegistry } from '../support/registry.ts';

const nix = await nixpkgsFixture();
const noNix = nix.skip || missing('bwrap');
const tiny = fixture('expressions', 'tiny.nix');

describe('the exit code', () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
    await writeApp(join(lab.folder, 'app.nix.tar'));
    assert.equal((await runCli(['pack', 'app.nix.tar'], { cwd: lab.folder })).code, 0);
  });
  after(() => lab.remove());

  /** Fails as it should: the code, a sentence, no output, a stack with --debug and never without. */
  async function fails(args: readonly string[], exit: number, code: string, options: CliOptions = {}): Promise<void> {
    const there = everythingIn(lab.folder);
    const quiet = await runCli(args, { cwd: lab.folder, ...options });
    assert.deepEqual([quiet.code, quiet.stdout], [exit, ''], quiet.stderr);
    assert.match(quiet.stderr, new RegExp(`^oci-plone: ${code}: \\S`, 'm'));
    assert.doesNotMatch(quiet.stderr, STACK);
    const debug = await runCli([...args, '--debug'], { cwd: lab.folder, ...options });
    assert.equal(debug.code, exit);
    assert.match(debug.stderr, STACK);
    assert.deepEqual(everythingIn(lab.folder), there);
  }

  it('0: done', async () => {
    assert.equal((await runCli(['inspect', 'app.oci'], { cwd: lab.folder })).code, 0);
  });

  it('1: a bug, here one that is made', async () => {
    const bug = "data:text/javascript,Array.prototype.flatMap=()=>{throw new TypeError('made')}";
    await fails(['pack', 'app.nix.tar'], 1, 'INTERNAL', { env: { NODE_OPTIONS: `--import "${bug}"` } });
  });

  it('2: usage', () => fails(['pack', '-'], 2, 'USAGE'));

  it('2: several outputs, which are listed', { skip: noNix }, async () => {
    const { code, stderr } = await runCli(['pack', fixture('expressions', 'several.nix')], { cwd: lab.folder });
    assert.equal(code, 2);
    assert.match(stderr, /first.*second/);
  });

  it('3: absent', () => fails(['pack', 'absent.nix.tar'], 3, 'INPUT_ABSENT'));

  it('3: malformed', () =>
    fails(['pack', fixture('demo', 'webapp-env.nix', '..', 'webapp', 'webapp.py')], 3, 'INPUT_MALFORMED'));

  it('3: hostile', async () => {
    await writeFile(join(lab.folder, 'hostile.tar'), await tarOf([{ name: '../../etc/passwd', content: 'x' }]));
    await fails(['pack', 'hostile.tar'], 3, 'INPUT_REFUSED');
  });

  it('3: no entrypoint', () => fails(['pack', 'app.nix.tar', '--entrypoint', '/bin/nothing'], 3, 'INPUT_MALFORMED'));

  it('3: a platform that contradicts', () =>
    fails(['pack', 'app.nix.tar', '--platform', 'linux/arm64'], 3, 'INPUT_MALFORMED'));

  it('3: a folder without parts/instance, with a hint', async () => {
    await fails(['instance', '.'], 3, 'INPUT_ABSENT');
    await fails(['instance', 'nowhere', '--dry-run'], 3, 'INPUT_ABSENT');
    const { stderr } = await runCli(['instance', fixture('instances', 'plone-6', 'parts')], { cwd: lab.folder });
    assert.match(stderr, /bin\/buildout/);
    const other = await runCli(['instance', fixture('instances', 'plone-6'), '--part', 'x'], { cwd: lab.folder });
    assert.equal(other.code, 3);
    assert.match(other.stderr, /instance.*--part/);
  });

  it('3: a home that is to be shown', { skip: noNix }, () =>
    fails(['pack', tiny, '--show', lab.folder], 3, 'INPUT_REFUSED', { env: { HOME: join(lab.folder, 'home') } }),
  );

  it('4: a build that fails', { skip: noNix }, () =>
    fails(['pack', fixture('expressions', 'failing.nix')], 4, 'NIX_FAILED'),
  );

  it('4: a syntax error', { skip: noNix }, () =>
    fails(['pack', fixture('expressions', 'syntax-error.nix')], 4, 'NIX_FAILED'),
  );

  it('4: no Nix', () => fails(['pack', tiny], 4, 'NIX_ABSENT', { env: { PATH: lab.folder } }));

  it('4: a build that lasts too long', { skip: noNix }, async () => {
    const own = await labFolder();
    try {
      await fails(
        ['pack', fixture('expressions', 'slow.nix'), '--timeout', '3', '--store', own.folder],
        4,
        'NIX_TIMEOUT',
      );
    } finally {
      await own.remove();
    }
  });

  it('5: no credentials, and wrong ones', { skip: missing('docker-registry') }, async (t) => {
    const registry = await startRegistry({ auth: true });
    t.after(() => registry.stop());
    const env = { HOME: lab.folder, DOCKER_CONFIG: lab.folder };
    await fails(['push', 'app.oci', `${registry.host}/x`], 5, 'AUTHENTICATION', { env });
    const auths = { [registry.host]: { auth: Buffer.from('plone:unmistakable').toString('base64') } };
    await writeFile(join(lab.folder, 'config.json'), JSON.stringify({ auths }));
    await fails(['push', 'app.oci', `${registry.host}/x`], 5, 'AUTHENTICATION', { env });
  });

  it('6: a registry that answers something else', async (t) => {
    const server = createServer(
      (request, response) => void request.resume().on('end', () => response.writeHead(418).end()),
    );
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : address;
    await fails(['push', 'app.oci', `127.0.0.1:${port}/x`], 6, 'REGISTRY');
  });

  it('6: a registry that is not there', () =>
    // Port 1 (tcpmux) is nobody's.
    fails(['push', 'app.oci', '127.0.0.1:1/x'], 6, 'NETWORK'));

  it('7: a blob that is not what its name says', async () => {
    assert.equal((await runCli(['pack', 'app.nix.tar', '-o', 'damaged.oci'], { cwd: lab.folder })).code, 0);
    const layout = join(lab.folder, 'damaged.oci');
    const config = join(layout, 'blobs', documentsOf(layout).manifest.config.digest.replace(':', '/'));
    await chmod(config, 0o644);
    await writeFile(config, (await readFile(config, 'utf8')).replace('8080', '8081'));
    await fails(['inspect', 'damaged.oci'], 7, 'DIGEST_MISMATCH');
    await fails(['push', 'damaged.oci', '127.0.0.1:1/x'], 7, 'DIGEST_MISMATCH');
  });

  it('8: no bubblewrap, which is never done without silently', { skip: noNix }, async () => {
    const bin = join(lab.folder, 'only-nix');
    await mkdir(bin);
    const folders = (cleanEnvironment()['PATH'] ?? '').split(delimiter);
    for (const folder of folders)
      for (const name of await readdir(folder).catch(() => []))
        if (name.startsWith('nix')) await symlink(join(folder, name), join(bin, name)).catch(() => undefined);
    const env = { PATH: bin };
    await fails(['pack', tiny], 8, 'SANDBOX_UNAVAILABLE', { env });
    const explicit = await runCli(['pack', tiny, '--sandbox=none'], { cwd: lab.folder, env });
    assert.equal(explicit.code, 0, explicit.stderr);
  });

  it('9: no place to write to', async () => {
    await fails(['pack', 'app.nix.tar', '-o', 'no/such/folder/x.oci'], 9, 'LOCAL_IO');
    await fails(['pack', 'app.nix.tar', '-o', 'app.nix.tar/x.oci'], 9, 'LOCAL_IO');
    await fails(['pack', 'app.nix.tar', '-o', 'no/such/folder/x.tar'], 9, 'LOCAL_IO');
    await fails(['pack', 'app.nix.tar', '-o', 'no/such/folder/x.nix.tar'], 9, 'LOCAL_IO');
    await fails(['pack', 'app.nix.tar', '-o', '/proc/x.oci'], 9, 'LOCAL_IO');
    await fails(['instance', fixture('instances', 'plone-6'), '-o', 'app.oci'], 9, 'LOCAL_IO');
    await fails(['instance', fixture('instances', 'plone-6'), '-o', 'no/such/folder'], 9, 'LOCAL_IO');
  });
});

/** A line of a stack: a place in a file of ours or of Node's. Nix's own messages have `at FILE.nix:1:2:`. */
const STACK = /^ +at .*(\.js:\d+|node:)/m;
