import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ExpressionResult } from '../../src/index.ts';
import { type Finished, runCli, startCli } from '../support/cli.ts';
import { listen } from '../support/fault-registry.ts';
import { type Folder, labFolder } from '../support/packed.ts';
import { wheelhouse } from '../support/wheels.ts';

const BUILDOUT = '[buildout]\nparts =\n[app]\nrecipe = collective.recipe.nix\neggs = web\n';

describe('oci-plone nix', () => {
  let lab: Folder;
  beforeEach(async () => {
    lab = await labFolder();
    await writeFile(join(lab.folder, 'buildout.cfg'), BUILDOUT);
    wheelhouse(join(lab.folder, 'wheels'), [
      { name: 'web', version: '1.0', requires: ['base'] },
      { name: 'base', version: '1.0' },
    ]);
  });
  afterEach(() => lab.remove());

  const nix = async (...args: readonly string[]): Promise<Finished> =>
    runCli(['nix', 'buildout.cfg', ...args, '--python', '3.11.2', '--index', 'wheels', '--offline'], {
      cwd: lab.folder,
      env: { HOME: join(lab.folder, 'home'), XDG_CACHE_HOME: join(lab.folder, 'cache') },
    });
  const read = async (name: string): Promise<string> => readFile(join(lab.folder, name), 'utf8');

  it('prints the files alone, and the rest on stderr', async () => {
    const { code, stdout, stderr } = await nix();
    assert.deepEqual([code, stdout], [0, 'app.nix\napp-env.nix\napp-web.nix\n'], stderr);
    assert.match(stderr, /2 distributions for Python 3\.11\.2/);
    const quiet = await nix('-q');
    assert.deepEqual(quiet, { code: 0, stdout, stderr: '' });
    assert.deepEqual((await readdir(lab.folder)).sort(), [
      'app-env.nix',
      'app-web.nix',
      'app.nix',
      'buildout.cfg',
      'buildout.cfg.lock.json',
      'wheels',
    ]);
  });

  it('prints one document', async () => {
    const { stdout } = await nix(
      '--json',
      '-o',
      'out',
      '--shell',
      'app:name=other',
      'buildout:versions=pins',
      'pins:web=1.0',
    ).then(async (first) => {
      // zc.buildout is in no wheelhouse here: the shell needs it.
      assert.equal(first.code, 3, first.stderr);
      return nix('--json', '-o', 'out', 'app:name=other', 'pins:web=1.0', 'versions=pins');
    });
    const result: ExpressionResult = JSON.parse(stdout);
    assert.deepEqual(
      result.files,
      ['other.nix', 'other-env.nix', 'other-web.nix'].map((name) => join(lab.folder, 'out', name)),
    );
    assert.deepEqual([result.part, result.python, result.distributions], ['app', '3.11.2', 2]);
    assert.deepEqual(result.changes, [
      { name: 'base', from: null, to: '1.0' },
      { name: 'web', from: null, to: '1.0' },
    ]);
    assert.equal(result.lock, join(lab.folder, 'buildout.cfg.lock.json'));
  });

  it('upgrades all, or some, and prints old → new', async () => {
    await nix();
    wheelhouse(join(lab.folder, 'wheels'), [
      { name: 'web', version: '2.0', requires: ['base'] },
      { name: 'base', version: '2.0' },
    ]);
    assert.doesNotMatch((await nix()).stderr, /→/);
    const some = await nix('-q', '--upgrade', 'base');
    assert.deepEqual([some.code, some.stderr], [0, 'base 1.0 → 2.0\n']);
    const all = await nix('-q', '--upgrade');
    assert.deepEqual([all.code, all.stderr], [0, 'web 1.0 → 2.0\n']);
    wheelhouse(join(lab.folder, 'wheels'), [{ name: 'base', version: '3.0' }]);
    const before = await runCli(['nix', '--upgrade', 'buildout.cfg', '-q', '--python', '3.11.2', '--index', 'wheels'], {
      cwd: lab.folder,
      env: { HOME: join(lab.folder, 'home') },
    });
    assert.deepEqual([before.code, before.stderr], [0, 'base 2.0 → 3.0\n']);
  });

  it('ends with 3 where the lock may not change, or something is not what it would be', async () => {
    assert.equal((await nix('--frozen')).code, 3);
    assert.equal((await nix('--check')).code, 3);
    await nix();
    for (const flag of ['--frozen', '--check']) assert.equal((await nix(flag)).code, 0);
    await rm(join(lab.folder, 'app.nix'));
    const { code, stdout, stderr } = await nix('--check');
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /app\.nix/);
    await writeFile(join(lab.folder, 'buildout.cfg'), BUILDOUT.replace('web', 'base'));
    assert.equal((await nix('--frozen')).code, 3);
  });

  it('does not overwrite what it did not write', async () => {
    await writeFile(join(lab.folder, 'app-env.nix'), '{ }\n');
    assert.equal((await nix()).code, 3);
    assert.equal(await read('app-env.nix'), '{ }\n');
    assert.equal((await nix('--force')).code, 0);
  });

  it('lists several parts, and takes the one that is named', async () => {
    await writeFile(
      join(lab.folder, 'buildout.cfg'),
      `${BUILDOUT}[other]\nrecipe = collective.recipe.nix\neggs = base\n`,
    );
    const { code, stderr } = await nix();
    assert.equal(code, 2);
    assert.match(stderr, /app, other/);
    assert.equal((await nix('other')).stdout, 'other.nix\nother-env.nix\nother-base.nix\n');
  });

  it('takes everything from the lock once it is there, offline and without pip', async () => {
    await nix();
    const { code, stderr } = await runCli(['nix', 'buildout.cfg', '--find-links', 'wheels', '--offline'], {
      cwd: lab.folder,
      env: { HOME: join(lab.folder, 'home'), PATH: '/nonexistent' },
    });
    assert.equal(code, 0, stderr);
  });

  it('names --index where no index is known', async () => {
    await mkdir(join(lab.folder, 'home'));
    const { code, stderr } = await runCli(['nix', 'buildout.cfg', '--python', '3.11.2'], {
      cwd: lab.folder,
      env: {
        HOME: join(lab.folder, 'home'),
        PATH: '/nonexistent',
        PIP_CONFIG_FILE: '/dev/null',
        PIP_INDEX_URL: undefined,
      },
    });
    assert.equal(code, 3);
    assert.match(stderr, /--index/);
  });

  it('ends at once by a signal while an index is silent, and leaves nothing', async (t) => {
    let wasAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (wasAsked = resolve));
    const server = createServer(() => wasAsked());
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const index = `http://${await listen(server)}/simple`;
    const before = await readdir(lab.folder);
    const running = startCli(['nix', 'buildout.cfg', '--python', '3.11.2', '--index', index], {
      cwd: lab.folder,
      env: { HOME: join(lab.folder, 'home'), XDG_CACHE_HOME: join(lab.folder, 'cache') },
    });
    await asked;
    running.child.kill('SIGINT');
    assert.equal((await running.finished).code, 130);
    assert.deepEqual(
      (await readdir(lab.folder)).filter((name) => name !== 'cache'),
      before,
    );
  });
});
