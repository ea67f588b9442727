import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { type Container, containersUnavailable, runContainer } from '../support/container.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, labFolder } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const run = promisify(execFile);
const input = fixture('demo', 'webapp-env.nix');
const noReal = await noRealNixpkgs();
const skip = nix.skip || missing('bwrap') || containersUnavailable();

describe('a real web application, from its expression', { skip }, () => {
  let lab: Folder;
  let layout: string;
  let container: Container;
  before(async () => {
    lab = await labFolder();
    layout = join(lab.folder, 'webapp.oci');
    await pack({ input, output: layout, cmd: ['-m', 'webapp'], stopSignal: 'SIGINT', env: cleanEnvironment() });
    container = await runContainer({ layout, readOnly: true });
  });
  after(async () => {
    await container.stop();
    await lab.remove();
  });

  it('answers on port 8080, on a read-only root', async () => {
    assert.equal((await container.get('/ok')).status, 200);
    const { status, body } = await container.get('/');
    assert.equal(status, 200);
    assert.match(body, /<html/i);
  });

  it('runs as uid 1000', async () => {
    await container.get('/ok');
    assert.equal((await container.owner()).uid, 1000);
  });

  const scripts: Readonly<Record<string, readonly [script: string, output: string]>> = {
    'has a /tmp to write to': ['import tempfile; tempfile.TemporaryFile().write(b"x"); print("written")', 'written'],
    'has a name and a home': [
      'import os, pwd; print(pwd.getpwuid(os.getuid()).pw_dir, os.path.expanduser("~"))',
      '/tmp /tmp',
    ],
    'has Python’s native modules': ['import ssl, sqlite3, ctypes, lzma, bz2; print("imported")', 'imported'],
    'finds its prefix through /app': ['import sys; print(sys.prefix)', '/app'],
  };
  for (const [name, [script, output]] of Object.entries(scripts))
    it(name, async () => {
      const other = await runContainer({ layout, args: ['-c', script], readOnly: true, tmpfs: ['/tmp'] });
      const code = await other.exit();
      const text = other.output();
      await other.stop();
      assert.equal(code, 0, text);
      assert.equal(text.trim(), output);
    });

  it('is packed with the machine’s real <nixpkgs>, too', { skip: noReal }, async () => {
    const { NIX_PATH, NIX_CONFIG } = process.env;
    const output = join(lab.folder, 'real.oci');
    const env = { ...cleanEnvironment(), NIX_PATH, NIX_CONFIG };
    const { layers } = await pack({ input, output, cmd: ['-m', 'webapp'], env });
    assert.ok(layers[0]?.storePaths.some((path) => path.includes('waitress')));
  });
});

/** The machine's own nixpkgs is none of this repository's business but in the last test. */
async function noRealNixpkgs(): Promise<string | false> {
  const reason = 'no real <nixpkgs> on this machine: NIX_PATH names none';
  try {
    const { stdout } = await run('nix-instantiate', ['--find-file', 'nixpkgs']);
    return stdout.trim() === nix.path ? reason : false;
  } catch {
    return reason;
  }
}
