import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatLock, lockOf } from '../../src/python/lock.ts';
import { lockedSet } from '../../src/python/locked-set.ts';
import { parseLock } from '../../src/python/lock-parser.ts';
import { type Target, targetOf } from '../../src/python/target.ts';
import type { WorkingSet } from '../../src/python/working-set.ts';
import { findPip, pipDryRun, reasonOf } from '../support/pip.ts';
import { scratch } from '../support/scratch.ts';
import { wanted } from './lab.ts';
import { findData, pinsOf, resolveOnline } from './plone.ts';

const ROOTS = ['Plone', 'plone.recipe.zope2instance'];

const data = findData();
const { python, skip: noPip } = await findPip();

async function whyNot(): Promise<string | false> {
  if (data === null) return 'shared/data with the version files of Plone is not there';
  const folder = mkdtempSync(join(tmpdir(), 'oci-plone-spec-'));
  try {
    await resolveOnline(wanted(['six']), folder);
    return false;
  } catch (error) {
    return `no package index is reachable: ${reasonOf(error)}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const skip = await whyNot();

function described(set: WorkingSet): readonly string[] {
  return set.distributions.map(({ name, version, file }) => `${name} ${version} ${file}`);
}

describe('Plone, from the index that pip uses here', { skip: skip || noPip, concurrency: true }, () => {
  const table = [
    ['6.2.2', '6.2.2-resolved.cfg', 240],
    ['6.0.13', '6.0.cfg', 240],
  ] as const;
  for (const [version, file, least] of table)
    it(`${version} resolves to exactly what pip resolves under the same pins`, async (t) => {
      assert.ok(data !== null && python !== null);
      const folder = scratch(t);
      const target = targetOf(python.version, python);
      const pins = await pinsOf(file, data, folder, target);
      const what = wanted(ROOTS, { pins, target });
      const set = await resolveOnline(what, join(folder, 'cache'));
      const constraints = join(folder, 'constraints.txt');
      writeFileSync(
        constraints,
        [...pins].map(([name, pin]) => (/^[<>]/.test(pin) ? name + pin : `${name}==${pin}`)).join('\n'),
      );
      assert.deepEqual(described(set), await pipDryRun(ROOTS, ['-c', constraints]));
      assert.ok(set.distributions.length >= least && set.distributions.some((one) => one.name === 'products-cmfplone'));

      // The lock gives the same set again, and asks nobody.
      const lock = parseLock(formatLock(lockOf(set, what)), 'plone.lock.json');
      assert.deepEqual(await lockedSet(lock, { indexes: [], findLinks: [] }, folder), set);
    });
});

describe('Plone 4.3 of July 2015 on Python 2.7', { skip }, () => {
  it('resolves as far as the index still serves it, and says what is missing', async (t) => {
    assert.ok(data !== null);
    const folder = scratch(t);
    const target: Target = targetOf('2.7');
    const pins = await pinsOf('4.3-2015-07.cfg', data, folder, target);
    const set = await resolveOnline(wanted(ROOTS, { pins, target }), join(folder, 'cache'), { tolerateMissing: true });
    const versions = new Map(set.distributions.map(({ name, version }) => [name, version]));
    assert.equal(versions.get('products-cmfplone'), pins.get('products-cmfplone'));
    assert.ok(versions.size > 150, String(versions.size));
    assert.ok(set.missing.length > 0 && set.missing.every(({ reason, name }) => reason !== '' && name !== ''));
    t.diagnostic(`${versions.size} resolved, ${set.missing.length} missing`);
  });
});
