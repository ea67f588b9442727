import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { diskTree } from '../../src/layer/disk-tree.ts';
import type { NarInfo } from '../../src/layer/nar.ts';
import { type TarSink, writeTar } from '../../src/layer/tar.ts';
import { folder } from '../../src/layer/tree.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';

/** What Nix itself makes of a path. */
function narOf(path: string): NarInfo {
  const nar = execFileSync('nix-store', ['--dump', path], { maxBuffer: 64 * 1024 * 1024 });
  return { narHash: `sha256:${createHash('sha256').update(nar).digest('hex')}`, narSize: nar.length };
}

const IGNORE: TarSink = { write: () => undefined, ready: () => undefined };

async function packedNar(path: string, name = 'p'): Promise<NarInfo | undefined> {
  const tree = folder([['nix', folder([['store', folder([[name, diskTree(path)]])]])]]);
  return (await writeTar(tree, IGNORE, { hashed: new Set([`nix/store/${name}`]) })).get(`nix/store/${name}`);
}

const CASES: Readonly<Record<string, (path: string) => void>> = {
  'an empty folder': (path) => mkdirSync(path),
  'a file as the whole store path': (path) => writeFileSync(path, 'a file\n'),
  'an empty file as the whole store path': (path) => writeFileSync(path, ''),
  'a program as the whole store path': (path) => writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 }),
  'a link as the whole store path': (path) => symlinkSync('/nix/store/elsewhere', path),
  'files of every length around a multiple of eight': (path) => {
    mkdirSync(path);
    for (let length = 0; length < 18; length++) writeFileSync(join(path, `of-${length}`), 'x'.repeat(length));
  },
  'executable by its owner or by others only': (path) => {
    mkdirSync(path);
    for (const mode of [0o744, 0o644, 0o655, 0o555, 0o444, 0o400, 0o100, 0o4755]) {
      writeFileSync(join(path, mode.toString(8)), 'x');
      chmodSync(join(path, mode.toString(8)), mode);
    }
  },
  'names that sort differently as paths, in a locale and by case': (path) => {
    for (const name of ['a', 'a-b', 'a.b', 'a0', 'B', 'b', 'ä', 'z', '\ue000', '𝄞']) {
      mkdirSync(join(path, name), { recursive: true });
      writeFileSync(join(path, name, 'b'), name);
      writeFileSync(join(path, `${name}!`), name);
    }
  },
  'links of all kinds': (path) => {
    mkdirSync(path);
    symlinkSync('.', join(path, 'here'));
    symlinkSync('../gone/', join(path, 'dangling'));
    symlinkSync('ß'.repeat(100), join(path, 'fern'));
  },
  'hard links and a file over a mebibyte': (path) => {
    mkdirSync(join(path, 'deep', 'er'), { recursive: true });
    writeFileSync(join(path, 'deep', 'er', 'file'), Buffer.alloc(1024 * 1024 + 3, 'nar'));
    linkSync(join(path, 'deep', 'er', 'file'), join(path, 'again'));
  },
};

describe('narHash and narSize are what Nix says', { skip: missing('nix-store') }, () => {
  for (const [what, make] of Object.entries(CASES)) {
    it(`of ${what}`, async (t) => {
      const path = join(scratch(t), 'path');
      make(path);
      assert.deepEqual(await packedNar(path), narOf(path));
    });
  }

  it('of a path by `nix hash path`, too', { skip: missing('nix') }, async (t) => {
    const path = join(scratch(t), 'path');
    CASES['links of all kinds']?.(path);
    const words = ['--extra-experimental-features', 'nix-command', 'hash', 'path', '--base16', path];
    assert.equal((await packedNar(path))?.narHash, `sha256:${execFileSync('nix', words).toString().trim()}`);
  });

  it('of several paths in one pass, and of those only that were asked for', async (t) => {
    const folders = ['one', 'one-two', 'three'].map((name) => {
      const path = join(scratch(t), name);
      mkdirSync(path);
      writeFileSync(join(path, 'file'), name);
      return [name, path] as const;
    });
    const tree = folder(folders.map(([name, path]) => [name, diskTree(path)]));
    const nars = await writeTar(tree, IGNORE, { hashed: new Set(['one', 'three']) });
    const expected = folders.filter(([name]) => name !== 'one-two').map(([name, path]) => [name, narOf(path)]);
    assert.deepEqual([...nars], expected);
  });
});
