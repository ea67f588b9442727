import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { realPaths } from '../../src/nix/paths.ts';
import { scratch } from '../support/scratch.ts';

/** The definition, one path at a time. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path === '/' ? path : join(await realPathOf(dirname(path)), basename(path));
  }
}

describe('the real paths of what exists', () => {
  it('are what realpath says of as much of each as there is', async (t) => {
    const folder = await realpath(scratch(t));
    const at = (...names: readonly string[]): string => join(folder, ...names);
    mkdirSync(at('home/.config'), { recursive: true });
    writeFileSync(at('home/file'), '');
    for (const [name, target] of Object.entries({
      user: 'home',
      'home/.ssh': '../elsewhere/keys',
      'home/.config/gh': at('nowhere'),
      'home/up': '..',
      loop: 'loop',
      again: 'user',
    }))
      symlinkSync(target, at(name));
    mkdirSync(at('elsewhere/keys'), { recursive: true });

    const below = [
      '',
      '.ssh',
      '.ssh/id',
      '.config',
      '.config/gh',
      '.config/gh/hosts',
      'file/x',
      'none/at/all',
      'up/user/.ssh',
    ];
    const paths = ['home', 'user', 'again', 'loop', 'none'].flatMap((name) => below.map((rest) => at(name, rest)));
    const found = realPaths(['/', ...paths]);
    assert.deepEqual(found, ['/', ...(await Promise.all(paths.map(realPathOf)))]);
    assert.ok(found.includes(at('elsewhere/keys/id')));
  });
});
