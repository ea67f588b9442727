import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareBuilds, parseWheelName, supportedTags, wheelRank } from '../../src/python/tags.ts';
import { targetOf } from '../../src/python/target.ts';
import { skipOracle } from '../support/zc-buildout.ts';
import { askPackaging } from './packaging.ts';

/** Best first. */
const RANKED = [
  'a-1.0-cp311-cp311-manylinux_2_36_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux2014_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux2010_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux1_x86_64.whl',
  'a-1.0-cp311-cp311-linux_x86_64.whl',
  'a-1.0-cp311-abi3-manylinux_2_28_x86_64.whl',
  'a-1.0-cp311-none-manylinux_2_28_x86_64.whl',
  'a-1.0-cp39-abi3-manylinux_2_28_x86_64.whl',
  'a-1.0-cp32-abi3-manylinux_2_28_x86_64.whl',
  'a-1.0-py3-none-manylinux_2_28_x86_64.whl',
  'a-1.0-cp311-none-any.whl',
  'a-1.0-py311-none-any.whl',
  'a-1.0-py2.py3-none-any.whl',
  'a-1.0-py30-none-any.whl',
];

const UNFIT = [
  'a-1.0-cp310-cp310-manylinux_2_28_x86_64.whl',
  'a-1.0-cp312-abi3-manylinux_2_28_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux_2_37_x86_64.whl',
  'a-1.0-cp311-cp311-manylinux_2_17_aarch64.whl',
  'a-1.0-cp311-cp311-musllinux_1_1_x86_64.whl',
  'a-1.0-cp311-cp311-macosx_11_0_x86_64.whl',
  'a-1.0-cp311-cp311-win_amd64.whl',
  'a-1.0-cp311-cp311d-linux_x86_64.whl',
  'a-1.0-py2-none-any.whl',
  'a-1.0-pp39-pypy39_pp73-linux_x86_64.whl',
];

function rank(file: string, python = '3.11.2'): number | null {
  const wheel = parseWheelName(file);
  assert.ok(wheel !== null, file);
  return wheelRank(wheel, supportedTags(targetOf(python)));
}

describe('wheel tags', () => {
  it('are ranked, or do not fit', () => {
    const ranks = RANKED.map((file) => rank(file) ?? Number.NaN);
    for (const [index, value] of ranks.slice(1).entries())
      assert.ok((ranks[index] ?? Number.NaN) <= value, `${RANKED[index]} before ${RANKED[index + 1]}`);
    for (const file of UNFIT) assert.equal(rank(file), null, file);
  });

  it('are those of old Pythons, too', () => {
    assert.notEqual(rank('a-1.0-cp27-cp27mu-manylinux1_x86_64.whl', '2.7'), null);
    assert.notEqual(rank('a-1.0-py2.py3-none-any.whl', '2.7'), null);
    assert.notEqual(rank('a-1.0-cp37-cp37m-manylinux1_x86_64.whl', '3.7.9'), null);
    assert.equal(rank('a-1.0-cp37-cp37m-manylinux1_x86_64.whl', '3.8.1'), null);
  });

  it('are read from names, with builds', () => {
    assert.equal(parseWheelName('Products_CMFPlone-6.0_1-py3-none-any.whl')?.name, 'products-cmfplone');
    assert.deepEqual(parseWheelName('a-1.0-2b-py2.py3-none-any.whl')?.build, [2, 'b']);
    assert.equal(parseWheelName('a-1.0-py2.py3-none-linux_x86_64.any.whl')?.tags.length, 4);
    for (const file of [
      'a.whl',
      'a-1.0.whl',
      'a-1.0-none-any.whl',
      'a-1.0-x-py3-none-any.whl',
      'a-1.0-py3-none-any.zip',
    ])
      assert.equal(parseWheelName(file), null, file);
    assert.ok(compareBuilds([2, ''], [10, '']) < 0 && compareBuilds([1, 'b'], [1, 'a']) > 0);
    assert.ok(compareBuilds(null, [0, '']) < 0);
  });
});

const skip = await skipOracle();

describe('the library packaging', { skip }, () => {
  it('ranks the same tags in the same order', async () => {
    const platforms = ['manylinux_2_5_x86_64', 'manylinux1_x86_64', 'linux_x86_64'];
    const pythons: readonly (readonly [number, number])[] = [
      [3, 9],
      [3, 11],
      [3, 14],
    ];
    const { tags } = await askPackaging({ tags: pythons.map((python) => [python, platforms]) });
    for (const [index, python] of pythons.entries()) {
      const machine = { platform: 'linux_x86_64', glibc: '2.5' };
      const ours = [...supportedTags(targetOf(`${python.join('.')}.1`, machine))].sort((a, b) => a[1] - b[1]);
      assert.deepEqual([...new Set(ours.map(([tag]) => tag))], [...new Set(tags[index])]);
    }
  });
});
