import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolve } from '../../src/layer/resolve.ts';
import { hasCode } from '../support/codes.ts';
import { written } from '../support/trees.ts';

const chain = Object.fromEntries(
  Array.from({ length: 41 }, (_, index) => [`c${index}`, index === 0 ? '-> end' : `-> c${index - 1}`]),
);

const root = written({
  app: '-> /nix/store/env',
  end: 'the end of a chain',
  ...chain,
  nix: {
    store: {
      env: { bin: { python: '-> ../../python/bin/python3', lib: '-> ../lib' }, lib: { 'file.py': 'x' } },
      python: { bin: { python3: '+x elf', 'python3.11': '-> python3' } },
    },
  },
  up: '-> ../../../../nix/../nix/store',
  loop: '-> loop',
  ping: '-> /pong',
  pong: '-> ping/x',
  dangling: '-> /nothing/here',
  'to-file': '-> end',
  '...': { x: 'not a parent' },
});

describe('resolve', () => {
  const FOUND: Readonly<Record<string, string>> = {
    '/': '/',
    '/nix/store': '/nix/store',
    '/nix//store/./': '/nix/store',
    '/app': '/nix/store/env',
    '/app/bin/python': '/nix/store/python/bin/python3',
    '/app/bin/lib/file.py': '/nix/store/env/lib/file.py',
    '/app/bin/lib/../bin/../../python': '/nix/store/python',
    '/app/..': '/nix/store',
    '/../../../app/lib': '/nix/store/env/lib',
    '/up/env': '/nix/store/env',
    '/.../x': '/.../x',
    '/c39': '/end',
    '/to-file': '/end',
  };
  for (const [asked, found] of Object.entries(FOUND))
    it(`finds ${asked} at ${found}`, () => assert.equal(resolve(root, asked)?.path, found));

  it('gives the node that is there', () => {
    const node = resolve(root, '/app/bin/python')?.node;
    assert.deepEqual([node?.kind, node?.kind === 'file' && node.mode], ['file', 0o755]);
  });

  for (const absent of ['/nothing', '/app/nothing', '/dangling', '/end/below', '/to-file/below', '/end/..'])
    it(`finds nothing at ${absent}`, () => assert.equal(resolve(root, absent), null));

  for (const loop of ['/loop', '/loop/x', '/ping', '/pong', '/c40'])
    it(`says that ${loop} follows too many links`, () =>
      assert.throws(() => resolve(root, loop), hasCode('INPUT_MALFORMED')));

  it('does not wander for hours through links that are no loop', () => {
    const around = 'd/../'.repeat(800);
    const links = Array.from({ length: 39 }, (_, index) => [`l${index}`, `-> l${index + 1}/${around}`] as const);
    const maze = written({ d: {}, l39: '-> .', ...Object.fromEntries(links) });
    assert.equal(resolve(maze, '/l37')?.path, '/');
    assert.throws(() => resolve(maze, '/l0'), hasCode('INPUT_MALFORMED'));
  });

  it('counts the steps of several look-ups together', () => {
    const steps = { left: 5 };
    assert.equal(resolve(root, '/nix/store', steps)?.path, '/nix/store');
    assert.equal(steps.left, 3);
    assert.throws(() => resolve(root, '/nix/store/env/bin', steps), hasCode('INPUT_MALFORMED'));
  });
});
