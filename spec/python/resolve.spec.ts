import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorCode } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { resolveWorkingSet } from '../../src/python/resolve.ts';
import { targetOf } from '../../src/python/target.ts';
import type { Wanted } from '../../src/python/working-set.ts';
import { hasCode } from '../support/codes.ts';
import { scratch } from '../support/scratch.ts';
import {
  type Described,
  type Distribution,
  metadataText,
  names,
  openPlaces,
  resolveFrom,
  sdist,
  sha256,
  startIndex,
  wanted,
  wheel,
  wheelhouse,
} from './lab.ts';

function pins(record: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(record));
}

function versions(name: string, list: readonly string[], described: Described = {}): readonly Distribution[] {
  return list.map((version) => wheel(name, version, described));
}

const egg = (name: string, version: string): Distribution =>
  sdist(name, version, { files: { [`${name}.egg-info/PKG-INFO`]: metadataText(name, version) } });

describe('what is chosen', () => {
  const table: readonly (readonly [string, readonly Distribution[], Wanted, readonly string[]])[] = [
    ['the newest', versions('a', ['1.0', '1.10', '1.9']), wanted(['a']), ['a 1.10']],
    ['the newest that fits', versions('a', ['1.0', '1.5', '2.0']), wanted(['a<2']), ['a 1.5']],
    ['a final one first', versions('a', ['1.0', '2.0a1']), wanted(['a']), ['a 1.0']],
    [
      'a final one though the requirement names a pre-release',
      versions('a', ['1.0', '2.0a1']),
      wanted(['a>=1.0a1']),
      ['a 1.0'],
    ],
    ['a pre-release where nothing else fits', versions('a', ['1.0', '2.0a1']), wanted(['a>1.0']), ['a 2.0a1']],
    [
      'the newest of all without prefer-final',
      versions('a', ['1.0', '2.0a1']),
      wanted(['a'], { preferFinal: false }),
      ['a 2.0a1'],
    ],
    [
      'what is pinned, in any spelling',
      versions('a.b', ['1.0', '2.0']),
      wanted(['A_B'], { pins: pins({ 'a.B': '1.0' }) }),
      ['a-b 1.0'],
    ],
    [
      'what the last spelling pins',
      versions('a-b', ['1.0', '2.0']),
      wanted(['a-b'], { pins: pins({ 'a.b': '1.0', a_b: '' }) }),
      ['a-b 2.0'],
    ],
    [
      'what a pin of clauses leaves',
      versions('a', ['1.0', '1.5', '2.0']),
      wanted(['a'], { pins: pins({ a: '>=1,<2' }) }),
      ['a 1.5'],
    ],
    [
      'a pinned pre-release',
      versions('a', ['1.0', '2.0a1']),
      wanted(['a'], { pins: pins({ a: '2.0a1' }) }),
      ['a 2.0a1'],
    ],
    [
      'what constraints leave, markers counted',
      versions('a', ['1.0', '1.5', '2.0']),
      wanted(['a'], { constraints: ['# no', '', '-r x', 'a<2  # yes', 'a<1 ; python_version < "3"', 'z==1'] }),
      ['a 1.5'],
    ],
    [
      'the version to stay with',
      versions('a', ['1.0', '2.0']),
      wanted(['a'], { preferred: pins({ A: '1.0' }) }),
      ['a 1.0'],
    ],
    [
      'the newest where that does not fit',
      versions('a', ['1.0', '2.0']),
      wanted(['a>1'], { preferred: pins({ a: '1.0' }) }),
      ['a 2.0'],
    ],
    ['one with a local part before one without', versions('a', ['1.0', '1.0+x']), wanted(['a==1.0']), ['a 1.0+x']],
    ['an sdist where it is newer', [egg('a', '2.0'), wheel('a', '1.0')], wanted(['a']), ['a 2.0']],
    [
      'what fits the target',
      [
        wheel('a', '1.0'),
        wheel('a', '2.0', { tag: 'cp311-cp311-win_amd64' }),
        wheel('a', '3.0', { tag: 'py2-none-any' }),
      ],
      wanted(['a']),
      ['a 1.0'],
    ],
    [
      'what fits the full version of Python, in a folder, too',
      [wheel('a', '1.0'), wheel('a', '2.0', { requiresPython: '>=3.11.5' })],
      wanted(['a']),
      ['a 1.0'],
    ],
    [
      'the other where Python is newer',
      [wheel('a', '1.0'), wheel('a', '2.0', { requiresPython: '>=3.11.5' })],
      wanted(['a'], { target: targetOf('3.11.7') }),
      ['a 2.0'],
    ],
    [
      'nothing for a marker that does not hold',
      versions('a', ['1.0']),
      wanted(['a', 'b ; python_version < "3"']),
      ['a 1.0'],
    ],
    ['what two roots agree on', versions('a', ['1.0', '1.5', '2.0']), wanted(['a<2', 'a>1']), ['a 1.5']],
    ['nothing for nothing', [], wanted([]), []],
  ];
  for (const [title, distributions, what, expected] of table)
    it(`is ${title}`, async (t) => assert.deepEqual(names(await resolveFrom(t, distributions, what)), expected));

  it('is the wheel with the best tag, of these the newest build', async (t) => {
    const tags = [
      'py3-none-any',
      'cp311-abi3-manylinux_2_17_x86_64',
      '1-cp311-cp311-linux_x86_64',
      '2-cp311-cp311-linux_x86_64',
    ];
    const set = await resolveFrom(
      t,
      tags.map((tag) => wheel('a', '1.0', { tag })),
      wanted(['a']),
    );
    assert.equal(set.distributions[0]?.file, 'a-1.0-2-cp311-cp311-linux_x86_64.whl');
  });

  it('is a wheel before an sdist, which is read as .tar.gz first', async (t) => {
    const file = async (...files: readonly Distribution[]): Promise<string | undefined> =>
      (await resolveFrom(t, files, wanted(['a']))).distributions[0]?.file;
    const zip = { ...egg('a', '1.0'), file: 'a-1.0.zip' };
    assert.equal(await file(egg('a', '1.0'), wheel('a', '1.0')), 'a-1.0-py3-none-any.whl');
    assert.equal(await file(zip, egg('a', '1.0'), { ...zip, file: 'a-1.0.tar.bz2' }), 'a-1.0.tar.gz');
  });

  it('is a yanked file for an exact version alone, and it is told', async (t) => {
    const notes: string[] = [];
    const files = [wheel('a', '1.0'), wheel('a', '2.0', { yanked: 'it is broken' })];
    const double = await startIndex(t, files);
    const { index } = openPlaces(t, { indexes: [double.url] });
    const options = { onProgress: (event: ProgressEvent): void => void notes.push(JSON.stringify(event)) };
    assert.deepEqual(names(await resolveWorkingSet(wanted(['a']), index, options)), ['a 1.0']);
    assert.equal(notes.join(), '');
    assert.deepEqual(names(await resolveWorkingSet(wanted(['a==2.0']), index, options)), ['a 2.0']);
    const pinned = wanted(['a'], { pins: pins({ a: '2.0' }) });
    assert.deepEqual(names(await resolveWorkingSet(pinned, index, options)), ['a 2.0']);
    assert.ok(notes.length === 2 && notes.every((note) => note.includes('it is broken')));
    await assert.rejects(resolveWorkingSet(wanted(['a>1']), index), hasCode('INPUT_ABSENT'));
  });
});

describe('what is required', () => {
  it('is followed with extras and markers, and told from both sides', async (t) => {
    const files = [
      wheel('Root', '1.0', {
        requires: ['mid[one]', 'old ; python_version < "3"', 'tests ; extra == "test"', 'doc ; extra == "doc"'],
        extras: ['test', 'doc'],
      }),
      wheel('mid', '1.0', { requires: ['leaf', 'first ; extra == "one"'], extras: ['One'] }),
      wheel('leaf', '1.0'),
      wheel('first', '1.0', { requires: ['leaf>=1'] }),
      wheel('tests', '1.0'),
    ];
    const set = await resolveFrom(t, files, wanted(['root[Test]']));
    const of = (name: string): unknown => {
      const one = set.distributions.find((distribution) => distribution.name === name);
      return [one?.requires, one?.requiredBy, one?.extras];
    };
    assert.deepEqual(names(set), ['first 1.0', 'leaf 1.0', 'mid 1.0', 'root 1.0', 'tests 1.0']);
    assert.deepEqual(of('root'), [['mid', 'tests'], [], ['test']]);
    assert.deepEqual(of('mid'), [['first', 'leaf'], ['root'], ['one']]);
    assert.deepEqual(of('leaf'), [[], ['first', 'mid'], []]);
    assert.deepEqual(set.picked, ['first', 'leaf', 'mid', 'root', 'tests']);
  });

  it('may be a cycle, or oneself with an extra', async (t) => {
    const files = [
      wheel('a', '1.0', { requires: ['b'] }),
      wheel('b', '1.0', { requires: ['c[x]'] }),
      wheel('c', '1.0', { requires: ['a', 'c[y] ; extra == "x"', 'd ; extra == "y"'], extras: ['x', 'y'] }),
      wheel('d', '1.0', { requires: ['a', 'b', 'c'] }),
    ];
    const set = await resolveFrom(t, files, wanted(['a']));
    assert.deepEqual(names(set), ['a 1.0', 'b 1.0', 'c 1.0', 'd 1.0']);
    assert.deepEqual(set.distributions[2]?.extras, ['x', 'y']);
    assert.deepEqual(set.distributions[2]?.requires, ['a', 'd']);
  });

  it('is chosen by who is met first, breadth first', async (t) => {
    const files = [
      wheel('a', '1.0', { requires: ['deep'] }),
      wheel('deep', '1.0', { requires: ['x<3'] }),
      wheel('b', '1.0', { requires: ['x<2'] }),
      ...versions('x', ['1.0', '2.0', '3.0']),
    ];
    assert.ok(names(await resolveFrom(t, files, wanted(['a', 'b']))).includes('x 1.0'));
  });

  it('is the same set, whatever comes first from the network', async (t) => {
    const files = [
      wheel('a', '1.0', { requires: ['b', 'c'] }),
      wheel('b', '1.0', { requires: ['d'] }),
      wheel('c', '1.0', { requires: ['d<2'] }),
      ...versions('d', ['1.0', '2.0']),
    ];
    const outcomes = new Set<string>();
    for (const late of ['b', 'c', 'd', 'none']) {
      const double = await startIndex(t, files, { delay: (path) => (path.includes(`/${late}`) ? 30 : 0) });
      const { index } = openPlaces(t, { indexes: [double.url] });
      outcomes.add(names(await resolveWorkingSet(wanted(['a']), index)).join());
    }
    assert.equal(outcomes.size, 1);
  });

  it('has the addresses and the digests of files', async (t) => {
    const file = wheel('a', '1.0');
    const double = await startIndex(t, [file], { hashes: false });
    const set = await resolveWorkingSet(wanted(['a']), openPlaces(t, { indexes: [double.url] }).index);
    const [one] = set.distributions;
    assert.deepEqual(
      [one?.sha256, one?.url, one?.kind],
      [sha256(file.bytes), `http://${double.host}/files/${file.file}`, 'wheel'],
    );
  });

  it('comes without the network out of wheelhouses', async (t) => {
    const places = {
      findLinks: [wheelhouse(t, [wheel('a', '1.0', { requires: ['b'] })]), wheelhouse(t, [egg('b', '1.0')])],
    };
    const { index } = openPlaces(t, places, { offline: true, cacheFolder: scratch(t) });
    assert.deepEqual(names(await resolveWorkingSet(wanted(['a']), index)), ['a 1.0', 'b 1.0']);
  });
});

describe('what cannot be had', () => {
  interface Case {
    readonly title: string;
    readonly files: readonly Distribution[];
    readonly what: Wanted;
    readonly code: ErrorCode;
    /** All of this stands in message or hint. */
    readonly says: readonly string[];
  }

  const two = versions('a', ['1.0', '2.0']);
  const cases: readonly Case[] = [
    {
      title: 'a pin in the way',
      files: [...two, wheel('b', '1.0', { requires: ['a>=2'] })],
      what: wanted(['b'], { pins: pins({ A: '1.0' }) }),
      code: 'INPUT_REFUSED',
      says: ['A = 1.0', 'b 1.0', 'a>=2', '[versions]'],
    },
    {
      title: 'a constraint in the way',
      files: two,
      what: wanted(['a>=2'], { constraints: ['a==1.0'] }),
      code: 'INPUT_REFUSED',
      says: ['a==1.0', 'a>=2'],
    },
    {
      title: 'a conflict, with who requires what, and what would fit',
      files: [
        ...two,
        wheel('b', '1.0', { requires: ['a'] }),
        wheel('c', '1.0', { requires: ['deep'] }),
        wheel('deep', '3.0', { requires: ['a<2'] }),
      ],
      what: wanted(['b', 'c']),
      code: 'INPUT_REFUSED',
      says: ['a 2.0 was taken', 'deep 3.0', 'required by c 1.0', 'a<2', 'b 1.0', 'a = 1.0'],
    },
    {
      title: 'a version that does not exist, with the nearest',
      files: versions('a', ['1.0', '1.1', '1.2', '1.3', '1.4', '9.0']),
      what: wanted(['a==1.15']),
      code: 'INPUT_ABSENT',
      says: ['a==1.15', '1.4', '9.0'],
    },
    {
      title: 'a pin that does not exist, with the nearest',
      files: two,
      what: wanted(['a'], { pins: pins({ a: '1.5' }) }),
      code: 'INPUT_ABSENT',
      says: ['a = 1.5', '1.0, 2.0'],
    },
    {
      title: 'a project that is not there, with the nearest name',
      files: versions('plone.api', ['1.0']),
      what: wanted(['plone.apj']),
      code: 'INPUT_ABSENT',
      says: ['plone.apj', 'plone-api'],
    },
    {
      title: 'an extra that does not exist, with the nearest',
      files: versions('a', ['1.0'], { extras: ['tests', 'docs'] }),
      what: wanted(['a[test]']),
      code: 'INPUT_ABSENT',
      says: ['"test"', 'tests', 'allow-unknown-extras'],
    },
    {
      title: 'a version for another Python',
      files: versions('a', ['1.0'], { requiresPython: '>=3.12' }),
      what: wanted(['a']),
      code: 'INPUT_ABSENT',
      says: ['3.12', '3.11.2', '--python'],
    },
    {
      title: 'a version without a file for the target',
      files: versions('a', ['1.0'], { tag: 'cp311-cp311-win_amd64' }),
      what: wanted(['a']),
      code: 'INPUT_ABSENT',
      says: ['1.0', 'find-links'],
    },
    {
      title: 'a pick that is not allowed',
      files: two,
      what: wanted(['a'], { allowPicked: false }),
      code: 'INPUT_REFUSED',
      says: ['allow-picked-versions', 'a = 2.0'],
    },
    {
      title: 'a pin that is none, with what there is',
      files: two,
      what: wanted(['a'], { pins: pins({ a: '1.2-2007-preview', unused: 'x y' }) }),
      code: 'INPUT_ABSENT',
      says: ['a = 1.2-2007-preview', '1.0, 2.0'],
    },
    { title: 'a requirement that is none', files: two, what: wanted(['a b']), code: 'INPUT_MALFORMED', says: ['a b'] },
    {
      title: 'an address in a requirement',
      files: [wheel('b', '1.0', { requires: ['a @ https://example.org/a.zip'] })],
      what: wanted(['b']),
      code: 'INPUT_REFUSED',
      says: ['b 1.0', 'find-links'],
    },
  ];
  for (const { title, files, what, code, says } of cases)
    it(`is told: ${title}`, async (t) =>
      assert.rejects(resolveFrom(t, files, what), (error) => {
        hasCode(code)(error);
        const text = error instanceof Error && 'hint' in error ? `${error.message} ${String(error.hint)}` : '';
        for (const part of says) assert.ok(text.includes(part), `${part} in: ${text}`);
        return true;
      }));

  it('is passed over where extras may be unknown, or picks are exact', async (t) => {
    const unknown = await resolveFrom(t, two, wanted(['a[x]'], { allowUnknownExtras: true }));
    assert.deepEqual(unknown.distributions[0]?.extras, []);
    const exact = wanted(['a==1.0', 'b'], { allowPicked: false, pins: pins({ b: '1.0' }) });
    assert.deepEqual((await resolveFrom(t, [...two, wheel('b', '1.0')], exact)).picked, []);
  });

  it('is passed over and listed where missing ones are tolerated', async (t) => {
    const files = [
      wheel('a', '1.0', { requires: ['gone==1.0', 'broken', 'b'] }),
      wheel('b', '1.0', { requires: ['gone'] }),
    ];
    const bad = { ...wheel('broken', '1.0'), bytes: Buffer.from('no zip') };
    const set = await resolveFrom(t, [...files, bad], wanted(['a', 'nowhere']), { tolerateMissing: true });
    assert.deepEqual(names(set), ['a 1.0', 'b 1.0']);
    assert.deepEqual(
      set.missing.map(({ name, requiredBy }) => [name, requiredBy]),
      [
        ['broken', ['a']],
        ['gone', ['a', 'b']],
        ['nowhere', []],
      ],
    );
  });

  it('is not tolerated where the network, or an index as a whole, is in trouble', async (t) => {
    const tolerate = { tolerateMissing: true };
    const gone = openPlaces(t, { indexes: ['http://127.0.0.1:1/'] });
    await assert.rejects(resolveWorkingSet(wanted(['a']), gone.index, tolerate), hasCode('NETWORK'));
    const double = await startIndex(t, [], { login: 'a:b' });
    const locked = openPlaces(t, { indexes: [double.url] });
    await assert.rejects(resolveWorkingSet(wanted(['a']), locked.index, tolerate), hasCode('AUTHENTICATION'));
    const empty = openPlaces(t, { indexes: [(await startIndex(t, [])).url] });
    const set = await resolveWorkingSet(wanted(['a']), empty.index, tolerate);
    assert.deepEqual(
      set.missing.map(({ name }) => name),
      ['a'],
    );
    await assert.rejects(resolveWorkingSet(wanted(['a']), empty.index), hasCode('REGISTRY'));
  });

  it('stops where the caller stops', async (t) => {
    const { index } = openPlaces(t, { findLinks: [wheelhouse(t, two)] });
    await assert.rejects(resolveWorkingSet(wanted(['a']), index, { signal: AbortSignal.abort() }), hasCode('ABORTED'));
  });
});
