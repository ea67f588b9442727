import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type PackOptions, type PackResult, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, labFolder } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const env = cleanEnvironment();
const run = promisify(execFile);
const input = fixture('expressions', 'tiny.nix');

describe('how Nix is called', { skip: nix.skip || missing('bwrap', 'nix') }, () => {
  let lab: Folder;
  let store: string;
  let expected: PackResult;
  before(async () => {
    lab = await labFolder();
    store = join(lab.folder, 'chroot');
    expected = await packed({});
  });
  after(() => lab.remove());

  function packed(options: Partial<PackOptions>): Promise<PackResult> {
    return pack({ input, output: join(lab.folder, 'tiny.oci'), env, ...options });
  }

  it('may be with a chroot store, whose paths are /nix/store/… in the image', async () => {
    assert.equal((await packed({ store })).digest, expected.digest);
    for (const path of expected.layers[0]?.storePaths ?? []) assert.ok(existsSync(join(store, path)), path);
  });

  it('may be with a path of that store, as it stands on disk and by its name', async () => {
    await packed({ store });
    const path = expected.layers[0]?.storePaths.find((name) => name.endsWith('-tiny-env')) ?? '';
    for (const name of [join(store, path), path])
      assert.equal((await packed({ input: name, store })).digest, expected.digest);
  });

  it('may be with a file:// binary cache, from which a closure comes without a build', async () => {
    const cache = `file://${join(lab.folder, 'cache')}`;
    const path = expected.layers[0]?.storePaths.find((name) => name.endsWith('-tiny-env')) ?? '';
    await run('nix', ['--extra-experimental-features', 'nix-command', 'copy', '--to', cache, path], { env });
    const nobody: [string, string][] = [['max-jobs', '0']];
    const empty = join(lab.folder, 'empty');
    await assert.rejects(packed({ store: empty, nixOptions: nobody }), hasCode('NIX_FAILED'));
    const nixOptions: [string, string][] = [...nobody, ['substituters', cache], ['require-sigs', 'false']];
    const lines: string[] = [];
    const result = await packed({
      store: join(lab.folder, 'substituted'),
      nixOptions,
      onProgress: (event) => void (event.kind === 'nix' ? lines.push(event.line) : null),
    });
    assert.equal(result.digest, expected.digest);
    assert.ok(lines.some((line) => line.includes(path) && line.includes(cache)));
  });

  it('may be with <nixpkgs> from -I instead of NIX_PATH', async () => {
    const { NIX_PATH: _, ...bare } = env;
    await assert.rejects(packed({ env: bare }), hasCode('NIX_FAILED'));
    const { digest } = await packed({ env: bare, include: [`nixpkgs=${nix.path}`] });
    assert.equal(digest, expected.digest);
  });

  it('may be offline', async () => {
    assert.equal((await packed({ offline: true })).digest, expected.digest);
  });

  it('never says more than a time allows', async () => {
    const slow = fixture('expressions', 'slow.nix');
    await assert.rejects(packed({ input: slow, timeout: 2 }), hasCode('NIX_TIMEOUT'));
  });
});
