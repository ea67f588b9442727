import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateMarker, markerEnvironment, markerOrNull } from '../../src/python/markers.ts';
import { formatRequirement, parseRequirement } from '../../src/python/requirement.ts';
import { DEFAULT_TARGET, targetOf } from '../../src/python/target.ts';
import { hasCode } from '../support/codes.ts';
import { skipOracle } from '../support/zc-buildout.ts';
import { askPackaging } from './packaging.ts';

const environment = markerEnvironment(targetOf('3.11.2'));

const MARKERS: readonly (readonly [string, boolean])[] = [
  ['python_version < "3"', false],
  ['python_version >= "3.9"', true],
  ["python_version >= '3.10' and python_version < '3.12'", true],
  ['python_version == "3.*"', true],
  ['python_version in "3.10 3.11"', true],
  ['python_version not in "2.7, 3.6"', true],
  ['python_full_version < "3.11.3"', true],
  ['python_full_version >= "3.11.5"', false],
  ['"3.10" <= python_version', true],
  ['sys_platform == "win32"', false],
  ['sys_platform != "win32" and (os_name == "posix" or os_name == "nt")', true],
  ['os_name == "nt" and os_name == "posix" or platform_system == "Linux"', true],
  ['platform_machine == "x86_64"', true],
  ['platform_python_implementation == "CPython"', true],
  ['implementation_name != "pypy"', true],
  ['"linux" in sys_platform', true],
  ['extra == "test"', false],
  ['python_version ~= "3.10"', true],
  ['(((python_version > "2")))', true],
];

const BROKEN = [
  '',
  'python_version',
  'python_version <',
  'python_version < 3',
  'python_version < "3',
  'python_version <> "3"',
  '(python_version < "3"',
  'python_version < "3")',
  'python_version < "3" and',
  'python_version < "3" xor os_name == "nt"',
  'unknown == "1"',
  '__import__("os") == "1"',
  'os.system == "1"',
  'python_version not "3"',
  `${'('.repeat(100)}os_name == "posix"${')'.repeat(100)}`,
];

describe('markers', () => {
  it('hold, or do not, for the target', () => {
    for (const [text, expected] of MARKERS) assert.equal(evaluateMarker(text, environment), expected, text);
  });

  it('are never run: what is not in the grammar is refused', () => {
    for (const text of BROKEN) {
      assert.throws(() => evaluateMarker(text, environment), hasCode('INPUT_MALFORMED'), text);
      assert.equal(markerOrNull(text, environment), null);
    }
  });

  it('read the spellings of PEP 345', () => {
    for (const text of ["sys.platform == 'linux'", "os.name == 'posix'", "python_implementation == 'CPython'"])
      assert.ok(evaluateMarker(text, environment), text);
  });

  it('compare extras by their canonical names', () => {
    const asked = { ...environment, extra: 'all-of-it' };
    assert.ok(evaluateMarker('extra == "All_of.it"', asked));
    assert.ok(!evaluateMarker('extra == "all"', asked));
  });

  it('know Python 2 on Linux', () => {
    const old = markerEnvironment(targetOf('2.7'));
    assert.deepEqual([old['sys_platform'], old['python_full_version']], ['linux2', '2.7.18']);
  });
});

const skip = await skipOracle();

describe('the library packaging', { skip }, () => {
  it('evaluates markers the same', async () => {
    const texts = [...MARKERS.map(([text]) => text), ...BROKEN.filter((text) => !text.includes('(('))];
    const answers = await askPackaging({ environment, markers: texts });
    assert.deepEqual(
      texts.map((text) => markerOrNull(text, environment)),
      answers.markers,
    );
  });
});

describe('requirements', () => {
  it('are read in every form of PEP 508', () => {
    const table = [
      ['Plone', 'Plone'],
      ['Products.CMFPlone >=6.0, <7', 'Products.CMFPlone>=6.0,<7'],
      ['zope.interface (>=4.0)', 'zope.interface>=4.0'],
      ['plone.app.contenttypes[Test, b_c]==1.0 ; python_version > "2"', 'plone.app.contenttypes[b-c,test]==1.0'],
      ['a[]', 'a'],
      ['a @ https://example.org/a.zip ; os_name == "posix"', 'a @ https://example.org/a.zip'],
      ['a;os_name=="posix"', 'a'],
      ['A1', 'A1'],
    ] as const;
    for (const [text, expected] of table) assert.equal(formatRequirement(parseRequirement(text)), expected, text);
    assert.equal(parseRequirement('Zope_Interface.x').name, 'zope-interface-x');
  });

  it('are refused, with where they stand, where they are none', () => {
    const table = [
      '',
      '>=1',
      'a b',
      'a[x',
      'a[-]',
      'a>=',
      'a @ ',
      'a; nonsense',
      '-r file',
      'a==1.0 2',
      `a${'0'.repeat(20_000)}`,
    ];
    for (const text of table)
      assert.throws(
        () => parseRequirement(text, 'egg.whl'),
        (error) => hasCode('INPUT_MALFORMED')(error) && String(error).includes('egg.whl'),
        text.slice(0, 20),
      );
  });
});

describe('targets', () => {
  it('have a full version', () => {
    const table = [
      ['3.11', '3.11.2'],
      ['3.11.7', '3.11.7'],
      ['2.7', '2.7.18'],
      ['3.13', '3.13.0'],
      [' 3.12.1 ', '3.12.1'],
    ] as const;
    for (const [text, expected] of table) assert.equal(targetOf(text).pythonVersion, expected);
    assert.deepEqual(targetOf('3.11'), DEFAULT_TARGET);
    for (const text of ['3', 'python3', '3.11.2rc1', '']) assert.throws(() => targetOf(text), hasCode('USAGE'), text);
  });
});
