import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { markerEnvironment } from '../../src/python/markers.ts';
import { dependenciesOf, parseMetadata } from '../../src/python/metadata.ts';
import { parseRequiresTxt } from '../../src/python/sdist.ts';
import { DEFAULT_TARGET } from '../../src/python/target.ts';
import { hasCode } from '../support/codes.ts';
import { metadataText } from './lab.ts';

describe('METADATA', () => {
  it('tells what a distribution requires, and for whom', () => {
    const text = metadataText('Products.CMFPlone', '6.0', {
      requires: ['setuptools', 'zope.interface (>=4)', 'pytest ; extra == "Test"'],
      extras: ['Test', 'test', 'z_a'],
      requiresPython: '>=3.8',
    });
    const metadata = parseMetadata(Buffer.from(text), 'a.whl');
    assert.deepEqual(
      [metadata.name, metadata.version, metadata.requiresPython, metadata.extras],
      ['products-cmfplone', '6.0', '>=3.8', ['test', 'z-a']],
    );
    assert.deepEqual(
      metadata.requires.map(({ name }) => name),
      ['setuptools', 'zope-interface', 'pytest'],
    );
  });

  it('is read in other encodings, with other line ends, and folded', () => {
    const lines = ['Metadata-Version: 2.1', 'Name: a', 'Version: 1', 'Author: J\u00e4rvi', 'Requires-Dist: b', '', 'c'];
    const texts: readonly Buffer[] = [
      Buffer.from(lines.join('\n')),
      Buffer.from(`\ufeff${lines.join('\n')}`),
      Buffer.from(lines.join('\r\n')),
      Buffer.from(lines.join('\r')),
      Buffer.from(lines.join('\n'), 'latin1'),
      Buffer.from(lines.join('\n').replace('Requires-Dist: b', 'requires-dist:\n\tb')),
      Buffer.from(lines.slice(0, 5).join('\n')),
      Buffer.from(lines.join('\n').replace('Author', 'no colon here\nSummary: x\n        y: z\nAuthor')),
    ];
    for (const bytes of texts) {
      const { name, requires } = parseMetadata(bytes, 'a.whl');
      assert.deepEqual([name, requires.map((one) => one.name)], ['a', ['b']], bytes.toString());
    }
  });

  it('is refused without a name or a version, in an encoding that hides them, with a requirement that is none', () => {
    for (const bytes of [
      Buffer.from('Name: a\n'),
      Buffer.from('Version: 1\n'),
      Buffer.from('\nName: a\nVersion: 1\n'),
      Buffer.from('Name: a\nVersion: 1\n', 'utf16le'),
      Buffer.alloc(0),
      Buffer.from('Name: a\nVersion: 1\nRequires-Dist: >=1\n'),
    ])
      assert.throws(() => parseMetadata(bytes, 'a.whl'), hasCode('INPUT_MALFORMED'), bytes.toString());
  });
});

describe('requires.txt', () => {
  it('is read with extras and markers', () => {
    const text = [
      '# made by setuptools',
      'zope.interface',
      'six>=1 ; os_name == "posix"',
      '',
      '[test]',
      'pytest',
      '[:python_version < "3"]',
      'ipaddress',
      '[docs:os_name == "nt" or os_name == "posix"]',
      'sphinx ; python_version > "2"',
      '[empty]',
    ].join('\r\n');
    assert.deepEqual(parseRequiresTxt(text), {
      requires: [
        'zope.interface',
        'six>=1 ; os_name == "posix"',
        'pytest ; extra == "test"',
        'ipaddress ; (python_version < "3")',
        'sphinx ; (python_version > "2") and (os_name == "nt" or os_name == "posix") and extra == "docs"',
      ],
      extras: ['test', 'docs', 'empty'],
    });
  });
});

describe('dependenciesOf', () => {
  it('evaluates markers for the target and for each extra', () => {
    const text = metadataText('a', '1', {
      requires: [
        'always',
        'old ; python_version < "3"',
        'tests ; extra == "test"',
        'both ; extra == "test" or extra == "docs"',
        'docs ; extra == "docs" and sys_platform == "linux"',
        'windows ; extra == "docs" and sys_platform == "win32"',
      ],
      extras: ['test', 'docs'],
    });
    const metadata = parseMetadata(Buffer.from(text), 'a.whl');
    const environment = markerEnvironment(DEFAULT_TARGET);
    const of = (...extras: readonly string[]): readonly string[] =>
      dependenciesOf(metadata, extras, environment).map(({ name }) => name);
    assert.deepEqual(of(), ['always']);
    assert.deepEqual(of('test'), ['always', 'tests', 'both']);
    assert.deepEqual(of('docs', 'test'), ['always', 'both', 'docs', 'tests']);
  });
});
