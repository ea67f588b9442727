import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import { hasCode } from '../support/codes.ts';
import { type Lab, lab } from './lab.ts';

const BUILDOUT = '[buildout]\nparts =\n[app]\nrecipe = collective.recipe.nix\neggs = web\n[versions]\nweb = 1.0\n';
const LOCK = 'buildout.cfg.lock.json';

interface LockDocument {
  readonly python: string;
  readonly packages: readonly { readonly name: string; readonly version: string; readonly url?: string }[];
}

/** A web server 1.0 that needs any base, of which there are two versions later. */
function start(t: Parameters<typeof lab>[0], text = BUILDOUT): Lab {
  const own = lab(t, text);
  own.wheels({ name: 'web', version: '1.0', requires: ['base'] }, { name: 'base', version: '1.0' });
  return own;
}

function versions(own: Lab): Readonly<Record<string, string>> {
  const { packages }: LockDocument = JSON.parse(own.read(LOCK));
  return Object.fromEntries(packages.map(({ name, version }) => [name, version]));
}

describe('a lock', () => {
  it('keeps what is not pinned, until it is upgraded', async (t) => {
    const own = start(t);
    const first = await own.nix();
    assert.deepEqual(first.changes, [
      { name: 'base', from: null, to: '1.0' },
      { name: 'web', from: null, to: '1.0' },
    ]);
    own.wheels({ name: 'base', version: '2.0' }, { name: 'web', version: '2.0' });
    const text = own.read(LOCK);
    assert.deepEqual((await own.nix()).changes, []);
    assert.equal(own.read(LOCK), text);
    // Another requirement makes it old; what fits stays all the same.
    own.write('buildout.cfg', BUILDOUT.replace('eggs = web', 'eggs = web more'.replace(' more', '\n    more')));
    own.wheels({ name: 'more', version: '1.0', requires: ['base'] });
    assert.deepEqual((await own.nix()).changes, [{ name: 'more', from: null, to: '1.0' }]);
    assert.deepEqual((await own.nix({ upgrade: ['more'] })).changes, []);
    assert.deepEqual((await own.nix({ upgrade: ['base'] })).changes, [{ name: 'base', from: '1.0', to: '2.0' }]);
    assert.deepEqual((await own.nix({ upgrade: 'all' })).changes, []);
    // web is pinned.
    assert.deepEqual(versions(own), { base: '2.0', more: '1.0', web: '1.0' });
  });

  it('asks for nothing while it is current: the files of a wheelhouse are looked for, no index', async (t) => {
    const own = start(t);
    await own.nix();
    const used = await own.nix({
      indexes: [],
      findLinks: [own.path('wheels')],
      env: { ...own.env, PATH: '/nonexistent' },
    });
    assert.equal(used.distributions, 2);
    rmSync(own.path('wheels'), { recursive: true });
    await assert.rejects(own.nix(), hasCode('INPUT_ABSENT'));
  });

  it('says which Python', async (t) => {
    const own = start(t);
    await own.nix({ python: '3.12.1' });
    assert.equal((await own.nix({ python: undefined })).python, '3.12.1');
    const document: LockDocument = JSON.parse(own.read(LOCK));
    assert.equal(document.python, '3.12.1');
  });

  const stale: readonly (readonly [what: string, change: (own: Lab) => void, options?: Parameters<Lab['nix']>[0]])[] = [
    ['is not there', (own) => rmSync(own.path(LOCK))],
    ['another egg', (own) => own.write('buildout.cfg', BUILDOUT.replace('eggs = web', 'eggs = base'))],
    ['another pin', (own) => own.write('buildout.cfg', BUILDOUT.replace('web = 1.0', 'web = 1.0\nbase = 1.0'))],
    ['a pin is gone', (own) => own.write('buildout.cfg', BUILDOUT.replace('web = 1.0', 'web ='))],
    ['another Python', () => undefined, { python: '3.12.0' }],
    [
      'picks are no longer allowed',
      (own) => own.write('buildout.cfg', BUILDOUT.replace('parts =', 'allow-picked-versions = false')),
    ],
    [
      'a file from elsewhere',
      (own) =>
        own.write('buildout.cfg', BUILDOUT.replace('eggs', 'urls = base=wheels/base-2.0-py3-none-any.whl\neggs')),
    ],
    ['a constraint', (own) => own.write('c.txt', 'base<2\n'), { constraints: ['c.txt'] }],
  ];
  for (const [what, change, options = {}] of stale)
    it(`that is stale may not change where it is frozen: ${what}`, async (t) => {
      const own = start(t);
      await own.nix();
      change(own);
      const there = what === 'is not there' ? null : own.read(LOCK);
      const given = options.constraints === undefined ? options : { constraints: [own.path('c.txt')] };
      for (const more of [{ frozen: true }, { check: true }])
        await assert.rejects(own.nix({ ...given, ...more }), hasCode('INPUT_REFUSED', 'INPUT_ABSENT'));
      if (there !== null) assert.equal(own.read(LOCK), there);
    });

  it('belongs to the buildout as long as only what is not met changes', async (t) => {
    const own = start(t);
    await own.nix();
    own.write('buildout.cfg', `${BUILDOUT}unrelated = 1.0\n`);
    await own.nix({ check: true });
  });

  it('is one for each of several parts', async (t) => {
    const own = start(
      t,
      BUILDOUT.replace('[versions]', '[other]\nrecipe = collective.recipe.nix\neggs = base\n[versions]'),
    );
    const one = await own.nix({ part: 'app' });
    const other = await own.nix({ part: 'other' });
    assert.equal(one.lock, own.path('buildout.cfg.app.lock.json'));
    assert.equal(other.lock, own.path('buildout.cfg.other.lock.json'));
    await own.nix({ part: 'app', check: true });
  });

  it('is not both frozen and upgraded', async (t) => {
    const own = start(t);
    await assert.rejects(own.nix({ frozen: true, upgrade: 'all' }), hasCode('USAGE'));
    await assert.rejects(own.nix({ check: true, upgrade: 'all' }), hasCode('USAGE'));
  });

  it('that people broke is refused, with what is wrong', async (t) => {
    const own = start(t);
    await own.nix();
    own.write(LOCK, own.read(LOCK).replace('"name": "web"', '"name": "Web"'));
    await assert.rejects(own.nix(), hasCode('INPUT_MALFORMED'));
    await assert.rejects(own.nix({ upgrade: ['nosuch'] }), hasCode('INPUT_MALFORMED'));
  });

  it('names what is to be upgraded and is not there', async (t) => {
    const own = start(t);
    await own.nix();
    await assert.rejects(
      own.nix({ upgrade: ['bace'] }),
      (error) => hasCode('INPUT_ABSENT')(error) && error instanceof OciPloneError && error.hint.includes('base'),
    );
  });
});
