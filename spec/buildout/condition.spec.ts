import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conditionFor } from '../../src/buildout/condition.ts';
import { TARGET, tinyMarker } from './lab.ts';

const holds = conditionFor(TARGET, tinyMarker);

describe('conditions', () => {
  const table: readonly (readonly [expression: string, value: boolean])[] = [
    ['python3', true],
    ['python2', false],
    ['python27', false],
    ['python311', true],
    ['python31', false],
    ['python312', false],
    ['cpython', true],
    ['pypy or jython or ironpython', false],
    ['linux', true],
    ['windows', false],
    ['macosx', false],
    ['cygwin or solaris', false],
    ['posix', true],
    ['bits64 and not bits32', true],
    ['little_endian and not big_endian', true],
    ['not (python2 or windows)', true],
    ['python2 and missing', false],
    ['python3 or missing', true],
    ['True', true],
    ['None', false],
    ['""', false],
    ['sys.platform == "linux"', true],
    ["'linux' in sys.platform", true],
    ['"win" not in sys.platform', true],
    ["sys.platform in ('linux', 'darwin')", true],
    ['sys.version_info >= (3, 8)', true],
    ['sys.version_info > (3, 11, 2)', true],
    ['sys.version_info[0] == 2', false],
    ['sys.version_info[:2] == (3, 11)', true],
    ['sys.version_info.minor < 12', true],
    ['(2,) < sys.version_info < (4,)', true],
    ['platform.python_version()[0] == "3"', true],
    ['platform.system() != "Windows"', true],
    ['os.name == "posix"', true],
    // As the marker says, not as Python would compare.
    ['python_version < "3"', false],
    ['sys_platform == "linux"', true],
  ];
  for (const [expression, value] of table) {
    it(`${expression} is ${String(value)}`, () => {
      assert.equal(holds(expression), value);
    });
  }

  for (const expression of [
    'missing',
    'os.environ["HOME"]',
    '__import__("os").system("true")',
    'python3 and',
    'python2 python3',
    'python2, python3',
    '(python3',
    'python3)',
    'sys.version_info[9] == 1',
    'sys.version_info[] == 1',
    '3 < "a"',
    '1 in 2',
    '"a" "b"',
    'x := 1',
    'sys.platform is None',
    `${'('.repeat(5000)}1${')'.repeat(5000)}`,
    `${'not '.repeat(5000)}1`,
    ' ',
  ]) {
    it(`${expression.slice(0, 40)} is refused`, () => {
      assert.throws(() => holds(expression), { code: 'INPUT_MALFORMED' });
    });
  }

  it('knows other targets', () => {
    const windows = conditionFor(
      { pythonVersion: '2.7.18', sysPlatform: 'win32', bits: 32, implementation: 'PyPy' },
      () => null,
    );
    const yes = [
      'windows',
      'bits32',
      'python2',
      'python27',
      'pypy',
      'os.name == "nt"',
      'platform.system() == "Windows"',
    ];
    const no = ['posix', 'linux', 'python3', 'cpython', 'bits64'];
    for (const name of yes) assert.equal(windows(name), true, name);
    for (const name of no) assert.equal(windows(name), false, name);
    assert.throws(() => conditionFor({ ...TARGET, pythonVersion: 'three' }, () => null), { code: 'INPUT_MALFORMED' });
  });
});
