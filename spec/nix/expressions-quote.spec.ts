import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { indent } from '../../src/nix/expressions/lines.ts';
import {
  attributeName,
  comment,
  indentedString,
  nixString,
  splitAttributePath,
  storeName,
} from '../../src/nix/expressions/quote.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { hostile, instantiate } from './expressions.ts';

const skip = missing('nix-instantiate');

test('what is quoted evaluates to itself, whatever it holds', { skip }, async (t) => {
  const file = join(scratch(t), 'quoted.nix');
  const many = fc.array(hostile, { minLength: 1, maxLength: 400, size: 'max' });
  await fc.assert(
    fc.asyncProperty(many, async (texts) => {
      const items = texts.flatMap((text) => [
        nixString(text),
        ...indent([`(builtins.attrNames { ${attributeName(text)} = 1; })`]),
        // Moved to the right, as all text of an expression is.
        ...indent(indentedString(text).split('\n')),
      ]);
      await writeFile(file, `[\n${comment(texts.join(''))}\n${items.join('\n')}\n]\n`);
      assert.deepEqual(
        JSON.parse(await instantiate('--eval', '--strict', '--json', file)),
        texts.flatMap((text) => [text, [text], text.endsWith('\n') ? text : `${text}\n`]),
      );
    }),
    { numRuns: 25 },
  );
});

test('names are quoted only where Nix asks for it', () => {
  const names = ['plone', 'zope-interface', "a'b", '3to2', 'or', 'inherit', 'a.b', ''];
  assert.deepEqual(
    names.map((name) => attributeName(name)),
    ['plone', 'zope-interface', "a'b", '"3to2"', '"or"', '"inherit"', '"a.b"', '""'],
  );
});

test('an attribute path is a path of names, not a program', () => {
  assert.deepEqual(splitAttributePath('libxml2'), ['libxml2']);
  assert.deepEqual(splitAttributePath('pythonPackages."setuptools-git".dev'), [
    'pythonPackages',
    'setuptools-git',
    'dev',
  ]);
  const bad = [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a;b',
    '(throw "")',
    '"${a}"',
    '"a\\"b"',
    '"a',
    '""',
    'a"b"',
    '3a',
    'a\n',
    '"a\nb"',
  ];
  for (const path of bad) assert.throws(() => splitAttributePath(path), hasCode('INPUT_MALFORMED'), path);
});

test('strings that Nix cannot hold are refused', () => {
  for (const text of ['a\0b', 'half \ud800 of a pair']) {
    for (const quote of [nixString, indentedString, attributeName]) {
      assert.throws(() => quote(text), hasCode('INPUT_REFUSED'));
    }
  }
});

test('names of the store are legal, and stay what they are where they can', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ maxLength: 400, unit: 'binary' })), (text) => {
      const name = storeName(text);
      assert.match(name, /^[a-zA-Z0-9+\-_?=][a-zA-Z0-9+\-._?=]{0,189}$/);
      if (/^[a-zA-Z0-9_][a-zA-Z0-9+._-]{0,150}$/.test(text)) assert.equal(name, text);
    }),
  );
  assert.equal(storeName('pkg-1!2.0+x[y]-py3-none-any.whl'), 'pkg-1_2.0+x_y_-py3-none-any.whl');
  assert.match(storeName(`${'a'.repeat(300)}-py3-none-any.whl`), /a-py3-none-any\.whl$/);
});
