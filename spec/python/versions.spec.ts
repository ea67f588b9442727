import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatSpecifiers, isExact, parseSpecifiers, satisfies } from '../../src/python/specifier.ts';
import { compareVersions, parseVersion, sameVersion } from '../../src/python/version.ts';
import { nearestNames, nearestVersions } from '../../src/python/nearest.ts';
import { hasCode } from '../support/codes.ts';
import { skipOracle } from '../support/zc-buildout.ts';
import { askPackaging } from './packaging.ts';

/** In the order of PEP 440. */
const VERSIONS = [
  '0',
  '0.6c11',
  '1.dev0',
  '1.0.dev456',
  '1.0a1',
  '1.0a2.dev456',
  '1.0a12.dev456',
  '1.0a12',
  '1.0b1.dev456',
  '1.0b2',
  '1.0b2.post345.dev456',
  '1.0b2.post345',
  '1.0rc1.dev456',
  '1.0rc1',
  '1.0',
  '1.0+abc.5',
  '1.0+abc.7',
  '1.0+5',
  '1.0.post456.dev34',
  '1.0.post456',
  '1.1.dev1',
  '2.0.0',
  '2026.10.18',
  '1!0.1',
] as const;

const SPELLINGS: readonly (readonly [string, string | null])[] = [
  ['v1.0', '1.0'],
  [' 1.0 ', '1.0'],
  ['1.0-1', '1.0.post1'],
  ['1.0-alpha.2', '1.0a2'],
  ['1.0PREVIEW3', '1.0rc3'],
  ['1.0-r4', '1.0.post4'],
  ['1.0dev', '1.0.dev0'],
  ['01.002', '1.2'],
  ['1.0+Ubuntu-1_2', '1.0+ubuntu.1.2'],
  ['3.4dev-r73107', null],
  ['1.0.*', null],
  ['', null],
  ['latest', null],
  ['1..0', null],
  ['1.0+', null],
  ['٣', null],
];

const CLAUSES = [
  '==1.0',
  '==1.0.0',
  '==1.0+abc.5',
  '==1.*',
  '==1.0.*',
  '!=1.0',
  '!=1.0.*',
  '~=1.0',
  '~=1.0.1',
  '~=1.0b1',
  '<1.0',
  '<1.0rc1',
  '<=1.0',
  '>1.0',
  '>1.0.post1',
  '>=1.0',
  '>=1.0a1,<2',
  '>=1.0,!=1.0.post456,<1.1',
  '===1.0',
  '',
] as const;

const BROKEN = ['1.0', '=1.0', '==', '>=x', '~=1', '>=1.0+local', '== 1.0 2.0', '<>1.0', '=>1', '==1.*+a'] as const;

describe('versions', () => {
  it('are ordered as PEP 440 has it', () => {
    const versions = VERSIONS.map((text) => parseVersion(text)).filter((version) => version !== null);
    assert.equal(versions.length, VERSIONS.length);
    const [first, ...rest] = versions;
    let before = first;
    for (const version of rest) {
      assert.ok(before !== undefined && compareVersions(before, version) < 0, `${before?.text} < ${version.text}`);
      assert.ok(compareVersions(version, before) > 0);
      before = version;
    }
  });

  it('have one normal spelling, or are none', () => {
    for (const [text, normal] of SPELLINGS) assert.equal(parseVersion(text)?.normal ?? null, normal, text);
    assert.equal(parseVersion(`1.${'0'.repeat(300)}`), null);
    assert.ok(sameVersion('3.3', '3.3.0') && !sameVersion('3.3', '3.3.1') && sameVersion('x', 'x'));
  });

  it('say whether they are pre-releases', () => {
    const table = VERSIONS.map((text) => parseVersion(text)?.isPrerelease === true);
    assert.deepEqual(
      table,
      VERSIONS.map((text) => /dev|a\d|b\d|c\d/.test(text.replace(/\+.*/, ''))),
    );
  });
});

describe('specifiers', () => {
  it('are read as old setuptools wrote them', () => {
    const table = [
      ['>=1.0,', '>=1.0'],
      [' >= 1.0 , <2 ', '>=1.0,<2'],
      ['>=1.*', '>=1'],
      ['==1.*', '==1.*'],
      ['>= 1.1.6dev-r22380', '>=1.1.6.dev22380'],
    ] as const;
    for (const [text, expected] of table) assert.equal(formatSpecifiers(parseSpecifiers(text)), expected);
  });

  it('are refused where they are none', () => {
    for (const text of BROKEN) assert.throws(() => parseSpecifiers(text), hasCode('INPUT_MALFORMED'), text);
  });

  it('are exact where they leave one version', () => {
    const exact = ['==1.0', '===1.0', '==1.*', '>=1.0', '==1.0,==1.0', ''].map((text) =>
      isExact(parseSpecifiers(text)),
    );
    assert.deepEqual(exact, [true, true, false, false, false, false]);
  });
});

const skip = await skipOracle();

describe('the library packaging', { skip }, () => {
  it('reads, orders and matches versions the same', async () => {
    const spellings = [...VERSIONS, ...SPELLINGS.map(([text]) => text)];
    const pairs = CLAUSES.flatMap((clause) => VERSIONS.map((version): readonly [string, string] => [clause, version]));
    const answers = await askPackaging({ versions: spellings, matches: pairs });
    assert.deepEqual(
      spellings.map((text) => parseVersion(text)?.normal ?? null),
      answers.versions,
    );
    for (const [index, [clause, text]] of pairs.entries()) {
      const version = parseVersion(text);
      assert.ok(version !== null);
      assert.equal(satisfies(version, parseSpecifiers(clause)), answers.matches[index], `${text} ${clause}`);
    }
  });
});

describe('what is nearest', () => {
  it('stands around what was wanted, or is the newest', () => {
    const known = ['1.0', '1.1', '1.2', '2.0', '2.1', '3.0'].map((text) => parseVersion(text));
    const versions = known.filter((version) => version !== null);
    assert.deepEqual(nearestVersions(versions, '1.1.5'), ['1.0', '1.1', '1.2', '2.0', '2.1']);
    assert.deepEqual(nearestVersions(versions, null).slice(0, 2), ['1.1', '1.2']);
    assert.equal(nearestVersions(versions, '9').length, 5);
    assert.deepEqual(nearestVersions(versions.slice(0, 1), '0.1'), ['1.0']);
  });

  it('is spelled nearly the same', () => {
    const known = ['plone-api', 'plone-app', 'plone-base', 'products-cmfplone', 'zope'];
    assert.deepEqual(nearestNames('plone-apl', known), ['plone-api', 'plone-app']);
    assert.deepEqual(nearestNames('product-cmfplone', known), ['products-cmfplone']);
    assert.deepEqual(nearestNames('something-else', known), []);
  });
});
