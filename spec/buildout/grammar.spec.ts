import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OciPloneError } from '../../src/errors.ts';
import { fold, unfold } from '../../src/buildout/fold.ts';
import { parseBuildout } from '../../src/buildout/parse.ts';
import type { Condition } from '../../src/buildout/parse.ts';

type Parsed = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** python3 holds, all else does not. */
const condition: Condition = (text) => text.trim() === 'python3';

function parse(text: string): Parsed {
  const sections = [...parseBuildout(text, 'test.cfg', condition)];
  return Object.fromEntries(
    sections.map(([name, options]) => [
      name,
      Object.fromEntries([...options].map(([key, option]) => [key, option.value])),
    ]),
  );
}

function failure(text: string): OciPloneError {
  try {
    parse(text);
  } catch (error) {
    assert.ok(error instanceof OciPloneError);
    assert.equal(error.code, 'INPUT_MALFORMED');
    return error;
  }
  assert.fail(`parsed: ${text}`);
}

/** What stands in a section `[s]`, and its options. */
const VALUES: readonly (readonly [title: string, lines: string, options: Readonly<Record<string, string>>])[] = [
  ['1 continuation lines are stripped, blank ones dropped', 'x = 1\n  2\n\n  3', { x: '1\n2\n3' }],
  ['2 a value below its name keeps blanks and indents', 'x =\n    1\n\n      2\n    3\n\n', { x: '1\n\n  2\n3' }],
  ['3 deeper lines are stripped too', 'x = one\n   two\n      three', { x: 'one\ntwo\nthree' }],
  ['4 comments are those of column 0', 'x =\n  1\n# c\n  # kept\n  2', { x: '1\n# kept\n2' }],
  ['5 there are no comments behind values', 'x = foo # b ; z', { x: 'foo # b ; z' }],
  ['8 the first = counts', 'x = a=b==c', { x: 'a=b==c' }],
  ['9 what is indented is a value', 'x =\n  b = 1\n  [c]', { x: 'b = 1\n[c]' }],
  ['10 the least indent goes', 'x =\n      1\n    2\n      3', { x: '  1\n2\n  3' }],
  ['11 names keep their case', 'Foo=1\nfoo=2', { Foo: '1', foo: '2' }],
  ['12 = ends the += before it', 'x += 2\nx = 1', { x: '1' }],
  ['13 += are gathered', 'x = 1\nx += 2\nx += 3', { x: '1', 'x +': '2\n3' }],
  [
    '16 quotes and truths are texts',
    'x = "q"\ny = true\nz = null\nq = \'7\'',
    { x: '"q"', y: 'true', z: 'null', q: "'7'" },
  ],
  ['17 a sign behind = belongs to the value', 'x =+ 1', { x: '+ 1' }],
  ['18 CRLF', 'x = 1\r\n  2\r\n', { x: '1\n2' }],
  ['a lone CR ends a line, too', 'x = 1\ry = 2', { x: '1', y: '2' }],
  ['=> names parts', '=> a b', { '<part-dependencies>': 'a b' }],
  ['<= is an option named <', '<= a\n    b', { '<': 'a\nb' }],
  ['an empty value', 'x =\ny = 1', { x: '', y: '1' }],
  ['a tab indents', 'x =\n\t1\n\t\t2', { x: '1\n\t2' }],
  ['a block after += without a value', 'x += 1\nx +=\n    2\n  3', { 'x +': '1\n    2\n  3' }],
  ['no blank before +=, or two', 'x+=1\ny  -= 2\nx = 3', { 'y -': '2', x: '3' }],
  ['a comment with ;', 'x =\n  1\n; c\n  2', { x: '1\n2' }],
  ['a no-break space is white space', 'x =\u00a01\n\u00a02', { x: '1\n2' }],
  ['U+FEFF is none', 'x = \ufeff1', { x: '\ufeff1' }],
  ['U+2028 ends no line', 'x = a\u2028b', { x: 'a\u2028b' }],
];

/** What the package `ini` would make of it if it got the lines as they are. */
const TRAPS: readonly (readonly [title: string, text: string, parsed: Parsed])[] = [
  ['continuation lines', '[s]\nx =\n  a\n  b', { s: { x: 'a\nb' } }],
  ['# and ; in values', '[s]\nx = http://h/p.tgz#md5=0f;a', { s: { x: 'http://h/p.tgz#md5=0f;a' } }],
  ['sections with dots', '[a.b.c]\nx = 1\n[a]\ny = 2', { 'a.b.c': { x: '1' }, a: { y: '2' } }],
  [
    'sections with a backslash',
    '[a\\b]\nx = 1\n[c\\.d]\nx = 2\n[e\\]\nx = 3',
    { 'a\\b': { x: '1' }, 'c\\.d': { x: '2' }, 'e\\': { x: '3' } },
  ],
  ['quotes', '[s]\nx = "a\\n"\ny = \'{"b": 1}\'', { s: { x: '"a\\n"', y: '\'{"b": 1}\'' } }],
  [
    'truths, and in quotes',
    '[s]\na = true\nb = "true"\nc = false\nd = null',
    { s: { a: 'true', b: '"true"', c: 'false', d: 'null' } },
  ],
  ['a comment behind a header', '[b] # c\nx = 1\n[d]; e\ny = 2', { b: { x: '1' }, d: { y: '2' } }],
  ['backslashes', '[s]\nx = C:\\new\\;z', { s: { x: 'C:\\new\\;z' } }],
  ['numbers as names stay in order', '[s]\nb = 1\n10 = 2\n9 = 3', { s: { b: '1', '10': '2', '9': '3' } }],
  ['sections of the same name are one', '[s]\nx = 1\n[t]\ny = 2\n[s]\nz = 3', { s: { x: '1', z: '3' }, t: { y: '2' } }],
];

describe('one file', () => {
  for (const [title, lines, options] of VALUES) {
    it(title, () => {
      assert.deepEqual(parse(`[s]\n${lines}`), { s: options });
    });
  }

  for (const [title, text, parsed] of TRAPS) {
    it(`ini: ${title}`, () => {
      assert.deepEqual(parse(text), parsed);
    });
  }

  it('ini: names of the prototype are names', () => {
    const sections = parseBuildout('[__proto__]\n__proto__ = 1\nconstructor = 2\n[s]\n__proto__ = 3', 'x', condition);
    assert.deepEqual([...sections.keys()], ['__proto__', 's']);
    assert.deepEqual(
      [...(sections.get('__proto__') ?? [])].map(([key, { value }]) => [key, value]),
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    );
    assert.equal(sections.get('s')?.get('__proto__')?.value, '3');
    assert.equal(Object.hasOwn(Object.prototype, '1'), false);
  });

  it('the fold carries every name and value', () => {
    const name = fc.stringMatching(/^[^\s#[\]:;{}]+$/).filter((text) => text !== '');
    const options = fc.uniqueArray(
      fc.tuple(
        fc.string({ unit: 'binary', minLength: 1 }).filter((key) => !key.includes('=')),
        fc.string({ unit: 'binary' }),
      ),
      {
        selector: ([key]) => key,
      },
    );
    const sections = fc.uniqueArray(fc.tuple(name, options), { selector: ([key]) => key });
    fc.assert(
      fc.property(sections, (list) => {
        const wanted = new Map(list.map(([key, entries]) => [key, new Map(entries)]));
        const read = unfold(fold(wanted), wanted.keys());
        assert.deepEqual(
          [...read].map(([key, map]) => [key, [...map]]),
          list,
        );
      }),
    );
  });
});

describe('conditions', () => {
  it('14 a file may begin with a section that does not count', () => {
    assert.deepEqual(parse('[a: python2]\nx=1\n\n  2'), {});
    assert.deepEqual(parse('[a: python2]\nx=1\n[b]\ny=2'), { b: { y: '2' } });
  });

  it('lines of a section that does not count belong to no other', () => {
    assert.deepEqual(parse('[b]\n[a: python2]\nx =\n  1\n[c]\nz = 1'), { b: {}, c: { z: '1' } });
    assert.deepEqual(parse('[b]\ny = 0\n[a: python2]\n  1\nx=1\n  2'), { b: { y: '0' } });
  });

  it('15 the same section with two conditions', () => {
    const text = '[b]\ny = 1\n[a: python2]\nx=1\n  2\n[a:python3]\nx=3';
    assert.deepEqual(parse(text), { b: { y: '1' }, a: { x: '3' } });
  });

  it('# and ; are written \\x23 and \\x3b, and an empty one is none', () => {
    const seen: string[] = [];
    parseBuildout('[a: "\\x23" < "\\x3b" ] ; c ] d\n[b:]\n[ c : x[0]]', 'x', (text) => seen.push(text) > 0);
    assert.deepEqual(seen, [' "#" < ";" ', ' x[0]']);
  });
});

describe('bad lines', () => {
  const table: readonly (readonly [title: string, text: string, ...names: readonly string[]])[] = [
    ['6 a colon', '[s]\nx: 1', 'test.cfg', 'line 2', 'x: 1'],
    ['7 a blank in a name', '[s]\nmy key = 1', 'line 2', 'my key'],
    ['brackets in a name', '[s]\nk[] = 1', 'line 2'],
    ['an operator without a name', '[s]\n+= 1', 'line 2'],
    ['an indented line after a header', '[s]\n  x = 1', 'line 2', 'x = 1'],
    ['a name of two words for a section', '[a b]\nx = 1', 'test.cfg:1'],
    ['a byte order mark', '\ufeff[s]\nx = 1', 'test.cfg:1'],
    ['an option without a section', '\n\nx = 1\n[s]', 'test.cfg:3'],
    ['in a section that does not count', '[a: python2]\nmy key', 'line 2'],
    ['all of them together', '[s]\nfoo\nx = 1\n\nbar baz\n[c d]\n', 'line 2', 'line 5', 'line 6'],
  ];
  for (const [title, text, ...names] of table) {
    it(title, () => {
      const { message } = failure(text);
      for (const name of names) assert.ok(message.includes(name), `${message} names ${name}`);
    });
  }

  it('a condition that cannot be evaluated is one', () => {
    const bad: Condition = () => {
      throw new Error('no');
    };
    assert.throws(() => parseBuildout('[a: what()]\nx = 1\nfoo', 'x', bad), {
      code: 'INPUT_MALFORMED',
      message: /line 1.*\n.*line 3/,
    });
  });

  it('takes linear time', () => {
    const long = 200_000;
    const texts = [
      `[a:${' '.repeat(long)}x`,
      `[${' '.repeat(long)}`,
      `[a${' ]'.repeat(long)}x`,
      `${'a'.repeat(long)}${' '.repeat(long)}`,
    ];
    for (const text of texts) failure(`[s]\n${text}\nx = ${' '.repeat(long)}y\n`);
  });
});
