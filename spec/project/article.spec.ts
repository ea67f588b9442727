import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { OciPloneError } from '../../src/errors.ts';
import { missing } from '../support/fixtures.ts';
import { findData } from '../python/plone.ts';
import { lab } from './lab.ts';

const run = promisify(execFile);
const data = findData();
const versions = join(data ?? '', 'plone-versions', '4.3-2015-07.cfg');

/** As it stands in the article, but for the address of what it extends: a file of that day. */
const ARTICLE = `[buildout]
extends = versions-2015-07.cfg
parts = plone
versions = versions

[instance]
recipe = plone.recipe.zope2instance
eggs = Plone
user = admin:admin

[plone]
recipe = collective.recipe.nix
eggs =
    \${instance:eggs}
    plone.recipe.zope2instance

[versions]
zc.buildout =
setuptools =
`;

const skip = data === null ? 'shared/data with the version files of Plone is not there' : missing('nix-instantiate');

it(
  "the article's own buildout, Plone 4 on Python 2.7: written out, and plain about what is gone",
  { skip },
  async (t) => {
    const own = lab(t, ARTICLE);
    const pins = readFileSync(versions, 'utf8');
    own.write('versions-2015-07.cfg', pins);
    for (const [url] of pins.matchAll(/http:\/\/dist\.plone\.org\/\S+/g))
      own.write(`extended/${createHash('md5').update(url).digest('hex')}`, '[versions]\nZope2 = 2.13.22\n');
    const options = {
      python: '2.7',
      // What pip knows here.
      indexes: [],
      env: { ...process.env, HOME: own.path('home') },
      overrides: [
        ['buildout', 'extends-cache', own.path('extended')],
        ['buildout', 'newest', 'false'],
      ] as const,
    };
    await assert.rejects(own.nix(options), (error) => {
      assert.ok(error instanceof OciPloneError);
      if (['NETWORK', 'INPUT_ABSENT'].includes(error.code)) t.skip(`no package index is reachable: ${error.message}`);
      else assert.equal(error.exitCode, 3, error.message);
      return true;
    });
    const result = await own.nix({ ...options, allowMissing: true }).catch((error: unknown) => {
      if (error instanceof OciPloneError && ['NETWORK', 'INPUT_ABSENT'].includes(error.code)) return null;
      throw error;
    });
    if (result === null) return;
    assert.equal(result.python, '2.7.18');
    assert.ok(result.distributions > 200, String(result.distributions));
    // An sdist of that time does not say what it requires.
    assert.ok(result.missing.some(({ name }) => name === 'docutils'));
    for (const { name } of result.missing)
      assert.ok(
        own.notes.some((note) => note.startsWith(`${name} is missing: `)),
        name,
      );
    const names = ['plone.nix', 'plone-env.nix', 'plone-plone.nix', 'plone-plone-recipe-zope2instance.nix'];
    assert.deepEqual(result.files, names.map(own.path));
    for (const file of result.files) await run('nix-instantiate', ['--parse', file]);
    assert.match(own.read('plone-env.nix'), /products-cmfplone[^]*version = "4\.3\.6"/);
  },
);
