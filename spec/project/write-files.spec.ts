import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { hasCode } from '../support/codes.ts';
import { type Lab, lab } from './lab.ts';

const BUILDOUT = '[buildout]\nparts =\n[app]\nrecipe = collective.recipe.nix\neggs = web\n';

function start(t: Parameters<typeof lab>[0], text = BUILDOUT): Lab {
  const own = lab(t, text);
  own.wheels({ name: 'web', version: '1.0' });
  return own;
}

describe('writing expressions', () => {
  it('into the folder of the buildout, of its prefix, or of the caller', async (t) => {
    const own = start(t, `${BUILDOUT}prefix = nix\n`);
    assert.deepEqual((await own.nix()).files, [
      own.path('nix/app.nix'),
      own.path('nix/app-env.nix'),
      own.path('nix/app-web.nix'),
    ]);
    assert.equal((await own.nix({ output: own.path('a/b') })).files[0], own.path('a/b/app.nix'));
    own.write('buildout.cfg', BUILDOUT);
    const { files, lock } = await own.nix();
    assert.deepEqual([files[0], lock], [own.path('app.nix'), own.path('buildout.cfg.lock.json')]);
  });

  it('only those that outputs names', async (t) => {
    const own = start(t, `${BUILDOUT}outputs = ./app-env.nix\n`);
    assert.deepEqual((await own.nix()).files, [own.path('app-env.nix')]);
  });

  it('never over a file of someone else, and then none at all', async (t) => {
    const own = start(t);
    own.write('app-web.nix', '{ }\n');
    await assert.rejects(own.nix(), hasCode('INPUT_REFUSED'));
    assert.deepEqual(
      readdirSync(own.folder).filter((name) => /\.nix$|lock/.test(name)),
      ['app-web.nix'],
    );
    assert.equal(own.read('app-web.nix'), '{ }\n');
    await own.nix({ force: true });
    assert.match(own.read('app-web.nix'), /^# Written by oci-plone /);
    await own.nix();
  });

  it('leaves alone what is the same', async (t) => {
    const own = start(t);
    await own.nix();
    const times = () =>
      ['app.nix', 'app-env.nix', 'buildout.cfg.lock.json'].map(
        (name) => statSync(own.path(name), { bigint: true }).ino,
      );
    const before = times();
    await own.nix();
    assert.deepEqual(times(), before);
  });

  it('leaves nothing half-written where a folder cannot be', async (t) => {
    const own = start(t);
    own.write('file', '');
    await assert.rejects(own.nix({ output: own.path('file/below') }), hasCode('LOCAL_IO'));
    assert.deepEqual(
      readdirSync(own.folder).filter((name) => /tmp|lock|\.nix$/.test(name)),
      [],
    );
  });
});

describe('checking expressions', () => {
  it('is content with what was written, also by another release', async (t) => {
    const own = start(t);
    await own.nix();
    await own.nix({ check: true });
    own.write(
      'app-env.nix',
      own.read('app-env.nix').replace(/^# Written by oci-plone \S+/, '# Written by oci-plone 99.0'),
    );
    await own.nix({ check: true });
  });

  const changes: readonly (readonly [what: string, change: (own: Lab) => unknown])[] = [
    ['an expression that was edited', (own) => own.write('app-env.nix', `${own.read('app-env.nix')}\n`)],
    ['another name', (own) => own.write('buildout.cfg', `${BUILDOUT}name = other\n`)],
    ['another input of nixpkgs', (own) => own.write('buildout.cfg', `${BUILDOUT}build-inputs = zlib\n`)],
  ];
  for (const [what, change] of changes)
    it(`is not, and writes nothing: ${what}`, async (t) => {
      const own = start(t);
      await own.nix();
      change(own);
      const before = readdirSync(own.folder);
      await assert.rejects(own.nix({ check: true }), hasCode('INPUT_REFUSED'));
      assert.deepEqual(readdirSync(own.folder), before);
    });
});
