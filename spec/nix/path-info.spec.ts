import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDump, parsePathInfo } from '../../src/nix/path-info.ts';

const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const PATH = `/nix/store/${HASH}-name-1.0`;
const OTHER = `/nix/store/${HASH}-other`;

test('the dump of the database is read path by path', () => {
  const hex = 'a'.repeat(64);
  assert.deepEqual(parseDump(''), []);
  assert.deepEqual(parseDump(`${OTHER}\n${hex}\n120\n\n0\n${PATH}\n${hex}\n1\n${PATH}.drv\n2\n${OTHER}\n${PATH}\n`), [
    { path: OTHER, narHash: `sha256:${hex}`, narSize: 120, references: [] },
    { path: PATH, narHash: `sha256:${hex}`, narSize: 1, references: [OTHER, PATH] },
  ]);
  for (const broken of [
    'x',
    `${PATH}\nzz\n1\n\n0\n`,
    `${PATH}\n${hex}\n1\n\n2\n${OTHER}\n`,
    `${PATH}\n${hex}\n-1\n\n0`,
  ]) {
    assert.throws(() => parseDump(broken), { code: 'NIX_FAILED' });
  }
});

const ZEROS = `sha256-${'A'.repeat(43)}=`;
const ROOT = { narHash: ZEROS, narSize: 120, references: [PATH, OTHER], deriver: null, ultimate: true };
const LEAF = { narHash: ZEROS, narSize: 1, references: [] };

for (const [since, document] of [
  [
    'Nix 2.4',
    [
      { path: PATH, ...ROOT },
      { path: OTHER, ...LEAF },
    ],
  ],
  ['Nix 2.19', { [PATH]: ROOT, [OTHER]: LEAF }],
] as const) {
  test(`what the newer program knows of a closure is read as it prints it since ${since}`, () => {
    assert.deepEqual(parsePathInfo(JSON.stringify(document), PATH), [
      { path: PATH, narHash: `sha256:${'0'.repeat(64)}`, narSize: 120, references: [PATH, OTHER] },
      { path: OTHER, narHash: `sha256:${'0'.repeat(64)}`, narSize: 1, references: [] },
    ]);
  });
}

for (const [what, document] of [
  ['no object', 3],
  ['null', null],
  ['a list of texts', [PATH]],
  ['a closure without its root', { [OTHER]: LEAF }],
  ['a closure without what its root refers to', { [PATH]: ROOT }],
  ['no store path', { [PATH]: LEAF, other: LEAF }],
  ['a path that is not there', { [PATH]: LEAF, [OTHER]: null }],
  ['a hash of another kind', { [PATH]: { ...LEAF, narHash: { algorithm: 'sha256', hash: 'A' } } }],
  ['a hash of another length', { [PATH]: { ...LEAF, narHash: 'sha256-AAAA' } }],
  ['a size that is none', { [PATH]: { ...LEAF, narSize: '1' } }],
  ['no references', { [PATH]: { ...LEAF, references: undefined } }],
  ['references that are no texts', { [PATH]: { ...LEAF, references: [1] } }],
] as const) {
  test(`${what} is nothing that is known of a closure`, () => {
    assert.equal(parsePathInfo(JSON.stringify(document), PATH), null);
  });
}

test('what is no JSON is nothing that is known of a closure', () => {
  assert.equal(parsePathInfo(`[{"path":"${PATH}"`, PATH), null);
});
