import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hasCode } from '../support/codes.ts';
import { wheelhouse } from '../support/wheels.ts';
import { type Lab, lab } from './lab.ts';

const HEAD = '[buildout]\nparts =\n[app]\nrecipe = collective.recipe.nix\n';

/** What an expression is of, by name and version. */
function packagesOf(text: string): Readonly<Record<string, string>> {
  const found = text.matchAll(/pname = "([^"]+)";\s+version = "([^"]+)";/g);
  return Object.fromEntries([...found].map(([, name = '', version = '']) => [name, version]));
}

async function env(own: Lab, options: Parameters<Lab['nix']>[0] = {}): Promise<Readonly<Record<string, string>>> {
  await own.nix(options);
  return packagesOf(own.read('app-env.nix'));
}

describe('what a buildout says about its eggs', () => {
  it('a develop egg is skipped, and what it requires is a root', async (t) => {
    const own = lab(t, `${HEAD.replace('parts =', 'develop = src/policy')}eggs = my.policy [ldap]\n`);
    own.write(
      'src/policy/pyproject.toml',
      '[project]\nname = "my.policy"\nversion = "1.0"\ndependencies = ["web"]\n[project.optional-dependencies]\nldap = ["ldap"]\ntest = ["never"]\n',
    );
    own.wheels(
      { name: 'web', version: '1.0', requires: ['base'] },
      { name: 'base', version: '1.0', requires: ['my.policy>=1'] },
      { name: 'ldap', version: '1.0' },
    );
    const { files } = await own.nix();
    assert.deepEqual(
      files.map((path) => path.slice(own.folder.length + 1)),
      ['app.nix', 'app-env.nix', 'app-ldap.nix', 'app-web.nix'],
    );
    assert.deepEqual(packagesOf(own.read('app-env.nix')), { base: '1.0', ldap: '1.0', web: '1.0' });
    assert.ok(own.notes.some((note) => note.includes('my-policy')));
    // Another requirement of it makes the lock old.
    await own.nix({ check: true });
    own.write('src/policy/pyproject.toml', '[project]\nname = "my.policy"\nversion = "1.0"\ndependencies = ["base"]\n');
    await assert.rejects(own.nix({ check: true }), hasCode('INPUT_REFUSED'));
  });

  it('a develop egg of another version than its pin does not count', async (t) => {
    const own = lab(t, `${HEAD.replace('parts =', 'develop = src/web')}eggs = web\n[versions]\nweb = 2.0\n`);
    own.write('src/web/pyproject.toml', '[project]\nname = "web"\nversion = "1.0"\ndependencies = []\n');
    own.wheels({ name: 'web', version: '2.0' });
    assert.deepEqual(await env(own), { web: '2.0' });
  });

  const cases: readonly (readonly [what: string, text: string, expected: Readonly<Record<string, string>>])[] = [
    ['a pin', 'eggs = web\n[versions]\nWeb = 1.0\n', { web: '1.0' }],
    ['the newest final release', 'eggs = web\n', { web: '2.0' }],
    ['a pre-release', 'eggs = web\n[buildout]\nprefer-final = false\n', { web: '3.0a1' }],
    ['a constraints file', 'eggs = web\nconstraints = c.txt\n', { web: '1.0' }],
    ['the file of an address', 'eggs = web\nurls = web=wheels/web-1.0-py3-none-any.whl\n', { web: '1.0' }],
    ['propagated-build-inputs', 'eggs = base\npropagated-build-inputs = base=web\n', { base: '1.0', web: '2.0' }],
    ['find-links of the part', 'eggs = other\nfind-links = more\n', { other: '1.0' }],
    [
      'download-cache',
      'eggs = other\nallow-from-cache = true\n[buildout]\ndownload-cache = cached\n',
      { other: '2.0' },
    ],
    ['a marker', 'eggs =\n    web\n    base ; python_version < "3"\n', { web: '2.0' }],
    ['taken from nixpkgs', 'eggs =\n    web\n    base\nnixpkgs = web=python3Packages.web\n', { base: '1.0' }],
  ];
  for (const [what, text, expected] of cases)
    it(what, async (t) => {
      const own = lab(t, HEAD + text);
      own.wheels(...['1.0', '2.0', '3.0a1'].map((version) => ({ name: 'web', version })), {
        name: 'base',
        version: '1.0',
      });
      own.write('c.txt', '# bounds\nweb<2 # not yet\n-c d.txt\n');
      own.write('d.txt', 'other==5 \\\n  --hash=sha256:00\n');
      wheelhouse(own.path('more'), [{ name: 'other', version: '1.0' }]);
      wheelhouse(own.path('cached/dist'), [{ name: 'other', version: '2.0' }]);
      assert.deepEqual(await env(own), expected);
    });

  it('inputs, hooks and addresses reach the expression; files of the buildout are named from its folder', async (t) => {
    const own = lab(
      t,
      `${HEAD}eggs = web\nbuild-inputs = web=libxml2 zlib\nhooks = web=h\n[h]\npostInstall = echo hello\n`,
    );
    own.wheels({ name: 'web', version: '1.0' });
    await own.nix({ output: own.path('nix') });
    const text = own.read('nix/app-env.nix');
    for (const part of [/libxml2/, /zlib/, /echo hello/, /\/\.\.\/wheels\/web-1\.0-py3-none-any\.whl/])
      assert.match(text, part);
    assert.ok(!text.includes(own.folder), text);
  });

  it('parts are installed by buildout itself, without a path of this machine', async (t) => {
    const own = lab(
      t,
      '[buildout]\nparts = x app\n[x]\nrecipe = a.recipe:main\nwhere = ${buildout:directory}/x\n[app]\nrecipe = collective.recipe.nix\neggs = web\n',
    );
    own.wheels(
      { name: 'web', version: '1.0' },
      { name: 'a.recipe', version: '1.0' },
      { name: 'zc.buildout', version: '6.0' },
    );
    assert.deepEqual(await env(own), { 'a-recipe': '1.0', web: '1.0', 'zc-buildout': '6.0' });
    const text = own.read('app.nix');
    assert.match(text, /recipe = a\.recipe:main/);
    assert.match(text, /where = ''\$\{buildout:directory\}\/x/);
    assert.ok(!text.includes(own.folder), text);
  });

  it('a shell has zc.buildout', async (t) => {
    const own = lab(t, `${HEAD}eggs = web\n`);
    own.wheels({ name: 'web', version: '1.0' }, { name: 'zc.buildout', version: '6.0' });
    const { files } = await own.nix({ shell: true });
    assert.ok(files.includes(own.path('default.nix')));
    assert.match(own.read('default.nix'), /mkShell/);
  });

  it('what is missing is told, where that is allowed', async (t) => {
    const own = lab(t, `${HEAD}eggs = web\n`);
    own.wheels({ name: 'web', version: '1.0', requires: ['gone'] });
    await assert.rejects(own.nix(), hasCode('INPUT_ABSENT'));
    const { missing } = await own.nix({ allowMissing: true });
    assert.deepEqual(
      missing.map(({ name, requiredBy }) => [name, requiredBy]),
      [['gone', ['web']]],
    );
    assert.ok(own.notes.some((note) => note.startsWith('gone is missing')));
    assert.deepEqual(packagesOf(own.read('app-env.nix')), { web: '1.0' });
    // With it, the lock is one; without, it is not enough.
    await own.nix({ allowMissing: true, frozen: true });
    await assert.rejects(own.nix({ frozen: true }), hasCode('INPUT_REFUSED'));
  });
});
