import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Finished, runCli } from '../support/cli.ts';
import { missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, labFolder } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const noNix = nix.skip || missing('bwrap');

const BASE = '[app]\nrecipe = zc.recipe.egg\neggs =\n    a\n    b\n';
const MAIN = `[buildout]
extends = base.cfg
parts = app
[app]
eggs += c
where = \${buildout:directory}/x
[versions:python_version < "3"]
a = 1
[versions:python_version >= "3.12"]
a = 3
[versions:python_version >= "3" and python_version < "3.12"]
a = 2
`;

describe('oci-plone buildout show', () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
    await writeFile(join(lab.folder, 'base.cfg'), BASE);
    await writeFile(join(lab.folder, 'main.cfg'), MAIN);
    await writeFile(join(lab.folder, 'broken.cfg'), `${MAIN}[one]\nx = \${no:thing}\n[two]\ny = \${app:nosuch}\n`);
  });
  after(() => lab.remove());

  // Without Nix the target is Debian 12's Python, unless it is named.
  const show = async (...args: readonly string[]): Promise<Finished> =>
    runCli(['buildout', 'show', ...args], { cwd: lab.folder, env: { NIX_PATH: '', HOME: lab.folder } });

  it('prints a section with where each value comes from', async () => {
    const { code, stdout, stderr } = await show('main.cfg', 'app');
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n').map((line) => line.replace(/ {2,}#/, '  #'));
    const at = (name: string): string => join(lab.folder, name);
    assert.deepEqual(lines, [
      '[app]',
      `recipe = zc.recipe.egg  # ${at('base.cfg')}:2`,
      `eggs = a  # ${at('base.cfg')}:3, ${at('main.cfg')}:5`,
      '    b',
      '    c',
      `where = ${lab.folder}/x  # ${at('main.cfg')}:6`,
      '',
    ]);
  });

  it('prints all sections, and as JSON values alone', async () => {
    const { code, stdout } = await show('main.cfg', '--json');
    assert.equal(code, 0);
    assert.equal(stdout.trim().split('\n').length, 1);
    const sections: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(stdout);
    assert.deepEqual(Object.keys(sections), ['buildout', 'app', 'versions']);
    assert.deepEqual(sections['app'], { recipe: 'zc.recipe.egg', eggs: 'a\nb\nc', where: `${lab.folder}/x` });
    const text = await show('main.cfg');
    for (const name of Object.keys(sections)) assert.match(text.stdout, new RegExp(`^\\[${name}\\]$`, 'm'));
  });

  it('resolves for the Python that is asked for', async () => {
    const pin = async (...args: readonly string[]): Promise<string | undefined> => {
      const { stdout } = await show('main.cfg', 'versions', '--json', ...args);
      const { versions }: { readonly versions?: Readonly<Record<string, string>> } = JSON.parse(stdout);
      return versions?.['a'];
    };
    assert.equal(await pin(), '2');
    assert.equal(await pin('--python', '3.12.1'), '3');
    assert.equal(await pin('--python', '2.7'), '1');
  });

  it('else for that of nixpkgs, whichever is in use', { skip: noNix }, async () => {
    await mkdir(join(lab.folder, 'nixpkgs'), { recursive: true });
    await writeFile(join(lab.folder, 'nixpkgs', 'default.nix'), '{ }: { python3.version = "3.13.1"; }');
    const executable = async (args: readonly string[], NIX_PATH: string): Promise<string | undefined> => {
      const { stdout, stderr } = await runCli(['buildout', 'show', 'main.cfg', 'buildout', '--json', ...args], {
        cwd: lab.folder,
        env: { NIX_PATH, HOME: join(lab.folder, 'home') },
      });
      assert.equal(stderr, '');
      const { buildout }: { readonly buildout?: Readonly<Record<string, string>> } = JSON.parse(stdout);
      return buildout?.['executable'];
    };
    assert.equal(await executable([], `nixpkgs=${nix.path}`), 'python3.11');
    assert.equal(await executable([], `nixpkgs=${join(lab.folder, 'nixpkgs')}`), 'python3.13');
    assert.equal(await executable(['-I', 'nixpkgs=nixpkgs'], `nixpkgs=${nix.path}`), 'python3.13');
    assert.equal(await executable(['--nixpkgs', 'nixpkgs'], `nixpkgs=${nix.path}`), 'python3.13');
  });

  it("takes what zc.buildout's command line takes", async () => {
    const { stdout } = await show('main.cfg', 'app', '--json', 'app:recipe=other', 'app:eggs+=d', 'parts=');
    const { app }: { readonly app?: Readonly<Record<string, string>> } = JSON.parse(stdout);
    assert.deepEqual([app?.['recipe'], app?.['eggs']], ['other', 'a\nb\nc\nd']);
  });

  it('tells every failure, prints what there is, and ends with 3', async () => {
    const { code, stdout, stderr } = await show('broken.cfg');
    assert.equal(code, 3);
    assert.match(stdout, /^\[app\]$/m);
    assert.equal(stderr.match(/^oci-plone: INPUT_MALFORMED: /gm)?.length, 2, stderr);
    assert.match(stderr, /broken\.cfg:15[^]*broken\.cfg:17|broken\.cfg:\d+[^]*broken\.cfg:\d+/);
    // A section that is whole does not mind.
    assert.equal((await show('broken.cfg', 'app')).code, 0);
    assert.equal((await show('broken.cfg', 'one')).code, 3);
  });

  it('names the nearest section', async () => {
    const { code, stdout, stderr } = await show('main.cfg', 'versoins');
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, /did you mean "versions"/);
  });

  it('is used wrongly', async () => {
    for (const args of [[], ['main.cfg', 'a', 'b'], ['main.cfg', '--nope'], ['main.cfg', '--python', 'three']]) {
      const { code, stdout } = await show(...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
    }
    assert.equal((await runCli(['buildout', 'annotate', 'main.cfg'], { cwd: lab.folder })).code, 2);
  });
});
