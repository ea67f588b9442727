import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pack, writeExpressions } from '../../src/index.ts';
import { canonicalName } from '../../src/python/name.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { containersUnavailable, runContainer } from '../support/container.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, labFolder } from '../support/packed.ts';
import { type PinnedWheels, downloadPins, pinsOf } from '../support/pinned-wheels.ts';

const nix = await nixpkgsFixture();
const versions = fixture('plone', 'versions.cfg');
const noNix = nix.skip || missing('bwrap') || containersUnavailable();
const wheels: PinnedWheels | null = noNix === false ? await downloadPins(versions) : null;

interface LockDocument {
  readonly picked: readonly string[];
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

/** Plone 6.2.2 as its users have it: five lines, and pins. */
describe('Plone 6.2.2, from its buildout', { skip: noNix || (wheels?.skip ?? false) }, () => {
  let lab: Folder;
  const env = cleanEnvironment();
  before(async () => {
    lab = await labFolder();
    await cp(fixture('plone'), join(lab.folder, 'plone'), { recursive: true });
    await cp(fixture('plone'), join(lab.folder, 'online'), { recursive: true });
  });
  after(async () => {
    await lab.remove();
    await wheels?.remove();
  });

  it('resolves on an index to what is pinned, and nothing else', async () => {
    const file = join(lab.folder, 'online', 'buildout.cfg');
    const { distributions } = await writeExpressions({ file, env });
    const lock: LockDocument = JSON.parse(await readFile(`${file}.lock.json`, 'utf8'));
    const pinned = new Map((await pinsOf(versions)).map(([name, version]) => [canonicalName(name), version]));
    assert.deepEqual(lock.picked, []);
    assert.equal(lock.packages.length, distributions);
    for (const { name, version } of lock.packages) assert.equal(version, pinned.get(name), name);
    assert.ok(distributions > 240, String(distributions));
  });

  it('builds offline from a wheelhouse, and imports in its container', async () => {
    const layout = join(lab.folder, 'plone.oci');
    const input = join(lab.folder, 'plone', 'buildout.cfg');
    const options = {
      input,
      output: layout,
      indexes: [wheels?.folder ?? ''],
      offline: true,
      encoder: 'zlib',
      env,
    } as const;
    const { layers } = await pack(options);
    const storePaths = layers.flatMap((layer) => layer.storePaths);
    assert.ok(
      storePaths.some((path) => path.endsWith('-products-cmfplone-6.2.2')),
      storePaths.join('\n'),
    );
    const script =
      'import Products.CMFPlone, plone.recipe.zope2instance, lxml.etree; print(Products.CMFPlone.__file__)';
    const container = await runContainer({ layout, args: ['-c', script], readOnly: true, tmpfs: ['/tmp'] });
    const code = await container.exit();
    const output = container.output();
    await container.stop();
    assert.equal(code, 0, output);
    assert.match(output, /Products\/CMFPlone\/__init__\.py/);
    assert.equal((await pack({ ...options, frozen: true })).unchanged, true);
  });
});
