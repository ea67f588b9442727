import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isLeftover, sortedMappings } from '../../src/plone/mapping.ts';
import {
  INI_SYNTAX,
  PLAIN_SYNTAX,
  type PathSyntax,
  XML_SYNTAX,
  ZCONFIG_SYNTAX,
  rewritePathText,
} from '../../src/plone/path-text.ts';

const D = '/home/u/plone';
const mappings = sortedMappings([
  { from: D, to: '/opt' },
  { from: `${D}/var`, to: '/data' },
]);

describe('paths in a text', () => {
  const table: readonly (readonly [text: string, expected: string])[] = [
    [D, '/opt'],
    [`${D}/`, '/opt/'],
    [`${D}/bin/x`, '/opt/bin/x'],
    [`${D}/var/log/a.log`, '/data/log/a.log'],
    [`${D}/variant`, '/opt/variant'],
    ['/home/u/plone2/x', '/home/u/plone2/x'],
    ['/home/u/plone.old', '/home/u/plone.old'],
    ['/home/u/plone-2', '/home/u/plone-2'],
    ['/home/u/plone_2', '/home/u/plone_2'],
    ['/mnt/home/u/plone/x', '/mnt/home/u/plone/x'],
    ['/home/u', '/home/u'],
    ['x/home/u/plone', 'x/home/u/plone'],
    ['./home/u/plone', './home/u/plone'],
    [`(r'${D}/var/log/a.log', 'a')`, `(r'/data/log/a.log', 'a')`],
    [`("${D}/a",${D}/b;${D}/c)`, `("/opt/a",/opt/b;/opt/c)`],
    [`${D}/a:${D}/var/b`, '/opt/a:/data/b'],
    [`host='${D}/var/pg' x=1`, `host='/data/pg' x=1`],
    [`--log=${D}/a`, '--log=/opt/a'],
    [`file://${D}/a`, 'file:///opt/a'],
    [`file://localhost${D}/a`, 'file://localhost/opt/a'],
    [`sqlite:///${D}/a.db`, 'sqlite:////opt/a.db'],
    [`https://example.org${D}/a ${D}`, `https://example.org${D}/a /opt`],
    ['http://home/u/plone', 'http://home/u/plone'],
    [`unix:${D}/var/s`, 'unix:/data/s'],
    [`${D}/../other/x`, `${D}/../other/x`],
    [`${D}/var/../etc`, '/opt/etc'],
    [`${D}/a/../../plone/b`, '/opt/b'],
    [`$NAME${D}`, `$NAME${D}`],
    [`$(NAME)${D}`, `$(NAME)${D}`],
    [`%(here)s${D}`, `%(here)s${D}`],
    [`${D}/$NAME/x`, '/opt/$NAME/x'],
    ['', ''],
    ['/', '/'],
  ];
  for (const [text, expected] of table)
    it(`${JSON.stringify(text)} becomes ${JSON.stringify(expected)}`, () => {
      assert.equal(rewritePathText(text, { mappings, syntax: PLAIN_SYNTAX }).text, expected);
    });

  it('hold blanks and colons where the text is one path', () => {
    const options = { mappings, syntax: PLAIN_SYNTAX, whole: true };
    assert.equal(rewritePathText(`${D}/my site: 1/x`, options).text, '/opt/my site: 1/x');
    assert.equal(rewritePathText('/home/u/plone two/x', options).text, '/home/u/plone two/x');
  });

  it('may have a folder with a blank in its name', () => {
    const spaced = { mappings: [{ from: '/home/u/my plone', to: '/opt' }], syntax: PLAIN_SYNTAX };
    assert.equal(rewritePathText("('/home/u/my plone/a', 1)", spaced).text, "('/opt/a', 1)");
  });

  const escaped: readonly (readonly [PathSyntax, string, string])[] = [
    [ZCONFIG_SYNTAX, '/home/$$u/$$x', '/op$$t/$$x'],
    [INI_SYNTAX, '/home/$u/%%x', '/op$t/%%x'],
    [XML_SYNTAX, '/home/$u/a&amp;b', '/op$t/a&amp;b'],
    [PLAIN_SYNTAX, '/home/$u/x', '/op$t/x'],
  ];
  it('are written as their file writes them', () => {
    for (const [syntax, text, expected] of escaped)
      assert.equal(
        rewritePathText(text, { mappings: [{ from: '/home/$u', to: '/op$t' }], syntax, whole: true }).text,
        expected,
      );
  });

  it('are found, those that stay and those that go', () => {
    const { paths } = rewritePathText(`${D}/a /srv/b ${D}/../c`, { mappings, syntax: PLAIN_SYNTAX });
    assert.deepEqual(paths, [
      { source: `${D}/a`, target: '/opt/a' },
      { source: '/srv/b', target: null },
      { source: '/home/u/c', target: null },
    ]);
  });

  it('are rewritten once: a second time changes nothing, and nothing but the folder goes', () => {
    const word = fc.constantFrom(D, '/', 'plone', '2', ' ', "'", ':', '=', '/var', '..', '$', '(', ')', 'x', ',', '//');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12 }), (words) => {
        const once = rewritePathText(words.join(''), { mappings, syntax: PLAIN_SYNTAX });
        assert.equal(rewritePathText(once.text, { mappings, syntax: PLAIN_SYNTAX }).text, once.text);
        if (once.paths.every(({ target }) => target === null)) assert.equal(once.text, words.join(''));
        for (const { source } of once.paths) assert.ok(source.startsWith('/'));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a leftover', () => {
  const table: readonly (readonly [path: string, leftover: boolean])[] = [
    ['/srv/x', true],
    ['/home/u/plone2', true],
    ['/var/log/x', true],
    ['/optional', true],
    ['/opt/x', false],
    ['/data', false],
    ['/tmp/x', false],
    ['/nix/store/x', false],
    ['/app/bin/python', false],
    ['/dev/null', false],
    ['/', false],
    ['/*', false],
  ];
  for (const [path, leftover] of table)
    it(`${path}: ${leftover}`, () => assert.equal(isLeftover(path, mappings), leftover));

  it('is below the mount never', () => assert.ok(!isLeftover('/srv/x', [{ from: D, to: '/srv' }])));

  it('is beside a folder in /opt, since that is the machine’s /opt', () => {
    assert.ok(isLeftover('/opt/other', [{ from: '/opt/plone', to: '/opt' }]));
    assert.ok(!isLeftover('/opt/other', [{ from: '/opt', to: '/opt' }]));
  });
});
