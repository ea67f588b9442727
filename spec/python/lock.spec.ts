import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatLock, isCurrent, lockOf, type Lock } from '../../src/python/lock.ts';
import { changesOf, keptVersions, lockedSet } from '../../src/python/locked-set.ts';
import { parseLock } from '../../src/python/lock-parser.ts';
import { resolveWorkingSet } from '../../src/python/resolve.ts';
import { targetOf } from '../../src/python/target.ts';
import type { Wanted, WorkingSet } from '../../src/python/working-set.ts';
import { hasCode } from '../support/codes.ts';
import { scratch } from '../support/scratch.ts';
import { openPlaces, resolveFrom, startIndex, wanted, wheel, wheelhouse } from './lab.ts';

const HASH = 'ab'.repeat(32);

const WHAT = wanted(['Root[x]'], { pins: new Map([['B.c', '1.0']]), constraints: ['d<9'] });

const SET: WorkingSet = {
  target: WHAT.target,
  distributions: [
    {
      name: 'b-c',
      version: '1.0',
      file: 'b.c-1.0.tar.gz',
      kind: 'sdist',
      url: 'file:///wheels/b.c-1.0.tar.gz',
      sha256: HASH,
      requires: [],
      requiredBy: ['root'],
      extras: [],
    },
    {
      name: 'root',
      version: '2.0',
      file: 'root-2.0-py3-none-any.whl',
      kind: 'wheel',
      url: 'https://files.example.org/root-2.0-py3-none-any.whl',
      sha256: HASH,
      requires: ['b-c'],
      requiredBy: [],
      extras: ['x'],
    },
  ],
  picked: ['root'],
  missing: [{ name: 'gone', requirement: 'gone==1', reason: 'there is no distribution of gone', requiredBy: ['root'] }],
};

const LOCK = lockOf(SET, WHAT);
const TEXT = formatLock(LOCK);

describe('a lock', () => {
  it('is text to be reviewed: sorted, a line for each thing, no address of a folder', () => {
    assert.equal(
      TEXT,
      `{
  "version": 1,
  "python": "3.11.2",
  "platform": "linux_x86_64",
  "glibc": "2.36",
  "inputs": "${LOCK.inputs}",
  "picked": [
    "root"
  ],
  "missing": [
    {
      "name": "gone",
      "requirement": "gone==1",
      "reason": "there is no distribution of gone",
      "requiredBy": [
        "root"
      ]
    }
  ],
  "packages": [
    {
      "name": "b-c",
      "version": "1.0",
      "kind": "sdist",
      "file": "b.c-1.0.tar.gz",
      "sha256": "${HASH}",
      "requires": [],
      "requiredBy": [
        "root"
      ]
    },
    {
      "name": "root",
      "version": "2.0",
      "kind": "wheel",
      "file": "root-2.0-py3-none-any.whl",
      "sha256": "${HASH}",
      "url": "https://files.example.org/root-2.0-py3-none-any.whl",
      "extras": [
        "x"
      ],
      "requires": [
        "b-c"
      ],
      "requiredBy": []
    }
  ]
}
`,
    );
  });

  it('is read as it was written', () => {
    const read = parseLock(TEXT, 'x.lock.json');
    assert.deepEqual(read, LOCK);
    assert.equal(formatLock(read), TEXT);
  });

  it('holds no user and no password', async (t) => {
    const double = await startIndex(t, [wheel('a', '1.0')], { login: 'jan:secretword', hashes: false });
    const { index } = openPlaces(t, { indexes: [double.url.replace('//', '//jan:secretword@')] });
    const what = wanted(['a']);
    const text = formatLock(lockOf(await resolveWorkingSet(what, index), what));
    assert.ok(text.includes(`http://${double.host}/files/`) && !/jan|secretword/.test(text), text);
  });
});

describe('a broken lock', () => {
  const change = (edit: (lock: Record<string, unknown>, first: Record<string, unknown>) => void): string => {
    // What JSON.parse gives of the text above.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const lock = JSON.parse(TEXT) as Record<string, unknown> & { packages: [Record<string, unknown>] };
    edit(lock, lock.packages[0]);
    return JSON.stringify(lock);
  };
  const broken: Readonly<Record<string, string>> = {
    'no JSON': `${TEXT}<<<<<<< HEAD`,
    'an empty file': '',
    'a list': '[]',
    'no version': change((lock) => delete lock['version']),
    'a later version': change((lock) => (lock['version'] = 2)),
    'a bare Python': change((lock) => (lock['python'] = '3.11')),
    'no platform': change((lock) => delete lock['platform']),
    'no glibc': change((lock) => delete lock['glibc']),
    'inputs that are none': change((lock) => (lock['inputs'] = 'md5:1')),
    'no packages': change((lock) => delete lock['packages']),
    'packages that are none': change((lock) => (lock['packages'] = [1])),
    'picked that are none': change((lock) => (lock['picked'] = [1])),
    'missing without a name': change((lock) => (lock['missing'] = [{}])),
    'a name twice': change((lock, first) => (lock['packages'] = [first, first])),
    'a name that is not canonical': change((_, first) => (first['name'] = 'B.c')),
    'a version that is none': change((_, first) => (first['version'] = 'new')),
    'another kind': change((_, first) => (first['kind'] = 'egg')),
    'a file elsewhere': change((_, first) => (first['file'] = '../b-c-1.0.tar.gz')),
    'a file that is a folder': change((_, first) => (first['file'] = '..')),
    'a short digest': change((_, first) => (first['sha256'] = 'abc')),
    'a digest in capitals': change((_, first) => (first['sha256'] = HASH.toUpperCase())),
    'a local address': change((_, first) => (first['url'] = 'file:///etc/passwd')),
    'an address with a password': change((_, first) => (first['url'] = 'https://u:p@example.org/b')),
    'requiredBy that is none': change((_, first) => (first['requiredBy'] = 'root')),
  };
  for (const [title, text] of Object.entries(broken))
    it(`is refused: ${title}`, () =>
      assert.throws(
        () => parseLock(text, 'x.lock.json'),
        (error) => hasCode('INPUT_MALFORMED')(error) && String(error).includes('x.lock.json'),
      ));
});

describe('isCurrent', () => {
  const read = parseLock(TEXT, 'x');
  const same: Readonly<Record<string, Wanted>> = {
    nothing: WHAT,
    'the spelling and order of pins': {
      ...WHAT,
      pins: new Map([
        ['zope', '5'],
        ['b_c', ' 1.0'],
      ]),
    },
    'a pin of what is not in it': { ...WHAT, pins: new Map([...WHAT.pins, ['other', '1']]) },
    'a constraint of what is not in it': { ...WHAT, constraints: ['d<9', 'other==1', '# comment'] },
    'an empty pin of what is in it': { ...WHAT, pins: new Map([...WHAT.pins, ['root', '']]) },
    'versions to stay with': { ...WHAT, preferred: new Map([['root', '2.0']]) },
  };
  const other: Readonly<Record<string, Wanted>> = {
    'a requirement': { ...WHAT, requirements: ['root'] },
    'a pin': { ...WHAT, pins: new Map([['b.c', '1.1']]) },
    'a pin that is gone': { ...WHAT, pins: new Map() },
    'a new pin of what is in it': { ...WHAT, pins: new Map([...WHAT.pins, ['root', '2.0']]) },
    'a pin of what was missing': { ...WHAT, pins: new Map([...WHAT.pins, ['gone', '2.0']]) },
    'a constraint of what is in it': { ...WHAT, constraints: ['d<9', 'root<3'] },
    'prefer-final': { ...WHAT, preferFinal: false },
    'picks that are not allowed any more': { ...WHAT, allowPicked: false },
    'unknown extras that are allowed': { ...WHAT, allowUnknownExtras: true },
    'the Python': { ...WHAT, target: targetOf('3.11.3') },
    'the platform': { ...WHAT, target: targetOf('3.11.2', { platform: 'linux_aarch64' }) },
  };
  for (const [title, what] of Object.entries(same))
    it(`holds where this changes: ${title}`, () => assert.ok(isCurrent(read, what)));
  for (const [title, what] of Object.entries(other))
    it(`does not where this changes: ${title}`, () => assert.ok(!isCurrent(read, what)));
});

describe('from a lock', () => {
  it('comes the same set, without an index', async (t) => {
    const files = [wheel('a', '1.0', { requires: ['b'] }), wheel('b', '1.0')];
    const folder = wheelhouse(t, files);
    const what = wanted(['a']);
    const { index } = openPlaces(t, { findLinks: [folder] });
    const set = await resolveWorkingSet(what, index);
    const lock = parseLock(formatLock(lockOf(set, what)), 'x');
    const location = { indexes: [], findLinks: ['http://127.0.0.1:1/', scratch(t), folder] };
    assert.deepEqual(await lockedSet(lock, location, '/'), set);
    const elsewhere = { indexes: [], findLinks: [scratch(t)] };
    await assert.rejects(
      lockedSet(lock, elsewhere, '/'),
      (error) => hasCode('INPUT_ABSENT')(error) && /a-1\.0/.test(String(error)),
    );
  });

  it('come the versions to stay with, but those to be moved', async (t) => {
    assert.deepEqual(
      [...keptVersions(LOCK, [])],
      [
        ['b-c', '1.0'],
        ['root', '2.0'],
      ],
    );
    assert.deepEqual([...keptVersions(LOCK, ['B_C'])], [['root', '2.0']]);
    assert.equal(keptVersions(LOCK, 'all').size, 0);
    assert.throws(
      () => keptVersions(LOCK, ['rot']),
      (error) =>
        hasCode('INPUT_ABSENT')(error) && error instanceof Error && 'hint' in error && /root/.test(String(error.hint)),
    );
    const files = ['1.0', '2.0'].flatMap((version) => [wheel('a', version), wheel('b', version)]);
    const old: Lock = { ...LOCK, packages: ['a', 'b'].map((name) => ({ ...packageOf(name), version: '1.0' })) };
    const what = wanted(['a', 'b'], { preferred: keptVersions(old, ['b']) });
    const after = lockOf(await resolveFrom(t, files, what), what);
    assert.deepEqual(changesOf(old, after), [{ name: 'b', from: '1.0', to: '2.0' }]);
  });

  it('comes what changed: new, gone, moved', () => {
    const before: Lock = { ...LOCK, packages: [packageOf('a'), packageOf('b'), packageOf('d')] };
    const after: Lock = { ...LOCK, packages: [packageOf('a'), { ...packageOf('b'), version: '2.0' }, packageOf('c')] };
    const changes = [
      { name: 'b', from: '1.0', to: '2.0' },
      { name: 'c', from: null, to: '1.0' },
      { name: 'd', from: '1.0', to: null },
    ];
    assert.deepEqual(changesOf(before, after), changes);
    assert.equal(changesOf(null, after).length, 3);
    assert.deepEqual(changesOf(after, after), []);
  });
});

function packageOf(name: string): Lock['packages'][number] {
  const file = `${name}-1.0-py3-none-any.whl`;
  return {
    name,
    version: '1.0',
    file,
    kind: 'wheel',
    url: null,
    sha256: HASH,
    requires: [],
    requiredBy: [],
    extras: [],
  };
}
