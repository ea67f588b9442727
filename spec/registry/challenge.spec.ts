import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseChallenges } from '../../src/registry/challenge.ts';

type Expected = readonly (readonly [string, Readonly<Record<string, string>>])[];

const TABLE: readonly (readonly [string, readonly string[], Expected])[] = [
  ['nothing', [], []],
  ['a scheme alone', ['Negotiate'], [['negotiate', {}]]],
  ['Basic', ['Basic realm="registry"'], [['basic', { realm: 'registry' }]]],
  [
    'Bearer as Docker Hub sends it',
    ['Bearer realm="https://auth.example.org/token",service="registry",scope="repository:a/b:pull,push"'],
    [['bearer', { realm: 'https://auth.example.org/token', service: 'registry', scope: 'repository:a/b:pull,push' }]],
  ],
  ['any case', ['bEARER REALM="x",Service=y'], [['bearer', { realm: 'x', service: 'y' }]]],
  ['a token as a value', ['Basic realm=registry, charset=UTF-8'], [['basic', { realm: 'registry', charset: 'UTF-8' }]]],
  [
    'escapes',
    [String.raw`Basic realm="a \"b\" \\ c, Bearer realm=d"`],
    [['basic', { realm: String.raw`a "b" \ c, Bearer realm=d` }]],
  ],
  ['spaces around =', ['Bearer realm = "x" , service = "y"'], [['bearer', { realm: 'x', service: 'y' }]]],
  ['empty elements', [' , ,Basic realm="x", ,,service=y,'], [['basic', { realm: 'x', service: 'y' }]]],
  [
    'two challenges on one line',
    ['Negotiate, Basic realm="x", Bearer realm="y",service="z"'],
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y', service: 'z' }],
    ],
  ],
  [
    'two lines',
    ['Negotiate', 'Basic realm="x"'],
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'token68',
    ['NTLM TlRMTVNTUAAB==, Basic realm="x"'],
    [
      ['ntlm', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'token68 without padding',
    ['Negotiate YII/abc+, Basic realm="x"'],
    [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  [
    'schemes after commas',
    ['Negotiate,NTLM,Basic realm="x"'],
    [
      ['negotiate', {}],
      ['ntlm', {}],
      ['basic', { realm: 'x' }],
    ],
  ],
  ['the first of two realms', ['Basic realm="x", realm="y"'], [['basic', { realm: 'x' }]]],
  ['an empty realm', ['Bearer realm=""'], [['bearer', { realm: '' }]]],
  ['a quote that does not end', ['Bearer service=y, realm="x'], [['bearer', { service: 'y' }]]],
  ['garbage', ['"x"', '=', '@'], []],
];

describe('parseChallenges', () => {
  for (const [what, lines, expected] of TABLE)
    it(`reads ${what}`, () => {
      const read = parseChallenges(lines).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
      assert.deepEqual(read, expected);
    });

  it('reads back whatever a server may quote', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    const challenge = fc.tuple(name, fc.dictionary(name, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true }));
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
        const line = challenges
          .map(([scheme, parameters]) => {
            const pairs = Object.entries(parameters).map(
              ([key, text]) => `${key}="${text.replace(/["\\]/g, (mark) => `\\${mark}`)}"`,
            );
            return `${scheme} ${pairs.join(', ')}`;
          })
          .join(', ');
        const read = parseChallenges([line]).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
        assert.deepEqual(read, challenges);
      }),
    );
  });

  it('ends for any line', () => {
    fc.assert(fc.property(fc.string(), (line) => parseChallenges([line]).length >= 0));
    const marks = fc.array(fc.constantFrom('Basic', ' ', ',', '=', '"', '\\', 'a=', 'x'), { maxLength: 30 });
    fc.assert(fc.property(marks, (parts) => parseChallenges([parts.join('')]).length >= 0));
  });
});
