import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rewriteZcml } from '../../src/plone/zcml.ts';

const D = '/home/u/plone';
const options = { mappings: [{ from: D, to: '/opt' }], logs: 'files', file: `${D}/etc/site.zcml` } as const;

describe('ZCML', () => {
  const table: readonly (readonly [text: string, expected: string])[] = [
    [`<include file="${D}/a.zcml"/>`, '<include file="/opt/a.zcml"/>'],
    [`<include file = '${D}/a b.zcml' />`, `<include file = '/opt/a b.zcml' />`],
    [`<plone:static directory="${D}/r"/>`, '<plone:static directory="/opt/r"/>'],
    [`<x any="${D}2"/>`, `<x any="${D}2"/>`],
    [`<!-- <include file="${D}/a.zcml"/> -->`, `<!-- <include file="${D}/a.zcml"/> -->`],
    [`<x xmlns="http://example.org${D}"/>`, `<x xmlns="http://example.org${D}"/>`],
    ['<include package="a" file="b.zcml"/>', '<include package="a" file="b.zcml"/>'],
  ];
  for (const [text, expected] of table)
    it(`${text} becomes ${expected}`, () => assert.equal(rewriteZcml(text, options).text, expected));

  it('says what it includes, and reports leftovers with their lines', () => {
    const { needs, leftovers, changes } = rewriteZcml(
      `<configure>\n<include file="b.zcml"/>\n<include package="p" file="c.zcml"/>\n<loadProducts file="meta.zcml"/>\n` +
        `<i18n:registerTranslations\n  directory="${D}/locales"/>\n<include file="/usr/x.zcml"/>\n<page name="/y"/>\n`,
      options,
    );
    assert.deepEqual(
      needs.map(({ role, path, line }) => [role, path, line]),
      [
        ['zcml', `${D}/etc/b.zcml`, 2],
        ['tree', `${D}/locales`, 6],
      ],
    );
    assert.deepEqual(leftovers, [{ file: options.file, line: 7, path: '/usr/x.zcml' }]);
    assert.deepEqual(
      changes.map(({ line, after }) => [line, after]),
      [[6, '  directory="/opt/locales"/>']],
    );
  });
});
