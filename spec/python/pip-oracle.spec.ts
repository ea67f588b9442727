import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resolveWorkingSet } from '../../src/python/resolve.ts';
import { targetOf } from '../../src/python/target.ts';
import { findPip, pipDryRun } from '../support/pip.ts';
import { scratch } from '../support/scratch.ts';
import { type Distribution, openPlaces, wanted, wheel, wheelhouse } from './lab.ts';

interface Case {
  readonly title: string;
  readonly files: readonly Distribution[];
  readonly requirements: readonly string[];
  /** As pip has them; pins of buildout are the `==` among them. */
  readonly constraints?: readonly string[];
}

const of = (name: string, ...versions: readonly string[]): readonly Distribution[] =>
  versions.map((version) => wheel(name, version));

const cases: readonly Case[] = [
  { title: 'versions', files: of('a', '1.0', '1.10', '1.9.post1', '2.0rc1'), requirements: ['a'] },
  { title: 'a pre-release that is asked for', files: of('a', '1.0', '2.0rc1'), requirements: ['a==2.0rc1'] },
  { title: 'a pinned pre-release', files: of('a', '1.0', '2.0rc1'), requirements: ['a'], constraints: ['a==2.0rc1'] },
  { title: 'clauses', files: of('a', '1.0', '1.4.2', '1.4.9', '1.5', '2.0'), requirements: ['a~=1.4.2', 'a!=1.4.9'] },
  { title: 'local versions', files: of('a', '1.0', '1.0+x.1', '1.0+x.2'), requirements: ['a==1.0'] },
  {
    title: 'extras and markers',
    files: [
      wheel('a', '1.0', {
        requires: ['b[y,x]', 'c ; python_version < "3"', 'd ; extra == "t"', 'e ; extra != "t"'],
        extras: ['t'],
      }),
      wheel('b', '1.0', {
        requires: ['f ; extra == "x"', 'g ; extra == "y"', 'h ; extra == "z"'],
        extras: ['x', 'y', 'z'],
      }),
      ...['c', 'd', 'e', 'f', 'g', 'h'].flatMap((name) => of(name, '1.0')),
    ],
    requirements: ['a[T]'],
  },
  {
    title: 'cycles and names in every spelling',
    files: [
      wheel('A.b', '1.0', { requires: ['c_d'] }),
      wheel('C-d', '1.0', { requires: ['a_B[e]'] }),
      wheel('a-b', '2.0', { requires: ['c.d', 'e ; extra == "e"'], extras: ['E'] }),
      ...of('e', '1.0'),
    ],
    requirements: ['a-B'],
  },
  {
    title: 'the best wheel',
    files: [
      'py3-none-any',
      'py2.py3-none-any',
      '1-py3-none-any',
      'cp32-abi3-manylinux1_x86_64',
      'cp27-cp27mu-linux_x86_64',
    ]
      .map((tag) => wheel('a', '1.0', { tag }))
      .concat(wheel('a', '2.0', { tag: 'cp311-cp311-win_amd64' })),
    requirements: ['a'],
  },
  {
    title: 'Requires-Python',
    files: [
      wheel('a', '1.0'),
      wheel('a', '2.0', { requiresPython: '>=3.1,!=3.2.*' }),
      wheel('a', '3.0', { requiresPython: '<3' }),
      wheel('a', '4.0', { requiresPython: '>=4' }),
    ],
    requirements: ['a'],
  },
  {
    title: 'constraints of what is required deep below',
    files: [
      wheel('a', '1.0', { requires: ['b', 'c>=1'] }),
      wheel('b', '1.0', { requires: ['c'] }),
      ...of('c', '1.0', '1.5', '2.0'),
    ],
    requirements: ['a'],
    constraints: ['c<2', 'z==1'],
  },
];

const { python, skip } = await findPip();

describe('pip, for small packages', { skip }, () => {
  for (const { title, files, requirements, constraints = [] } of cases)
    it(`chooses the same: ${title}`, async (t) => {
      assert.ok(python !== null);
      const folder = wheelhouse(t, files);
      const file = join(scratch(t), 'constraints.txt');
      writeFileSync(file, constraints.join('\n'));
      const theirs = await pipDryRun(requirements, ['--no-index', '--find-links', folder, '-c', file]);
      const { index } = openPlaces(t, { findLinks: [folder] });
      const target = targetOf(python.version, python);
      const set = await resolveWorkingSet(wanted(requirements, { target, constraints }), index);
      assert.deepEqual(
        set.distributions.map(({ name, version, file: own }) => `${name} ${version} ${own}`),
        theirs,
      );
      assert.ok(theirs.length > 0);
    });
});
