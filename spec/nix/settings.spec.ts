import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { configure, folderOfSubstituter, secretFilesOf } from '../../src/nix/configuration.ts';
import type { Circumstances } from '../../src/nix/configuration.ts';
import { splitSearchPath } from '../../src/nix/search-path.ts';
import { readSettings, wordsOf } from '../../src/nix/settings.ts';
import type { Setting } from '../../src/nix/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'oci-plone-settings-'));
after(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const USUAL: Circumstances = {
  step: 'evaluation',
  daemon: false,
  bubblewrap: true,
  offline: false,
  holding: 'users',
  secretFiles: [],
};

test('settings are read in the order in which Nix applies them, includes and comments resolved', () => {
  write('etc/nix.conf', 'cores = 1 # of the machine\n\ninclude more.conf\n!include absent.conf\nnonsense\n');
  write('etc/more.conf', 'max-jobs = 2\nextra-substituters = file:///a   file:///b\n');
  write('config/nix/nix.conf', 'cores = 3\n');
  const machines = write('machines', 'ssh://one x86_64-linux # first\n\nssh-ng://two\n');
  const env = {
    NIX_CONF_DIR: join(folder, 'etc'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    NIX_CONFIG: `cores = 4\nbuilders = @${machines}`,
  };
  const settings = readSettings(env, [['cores', '5']]);
  assert.deepEqual(wordsOf(settings, 'cores'), ['1', '3', '4', '5']);
  assert.deepEqual(wordsOf(settings, 'substituters'), ['file:///a', 'file:///b']);
  assert.deepEqual(settings.find(({ name }) => name === 'builders')?.value, 'ssh://one x86_64-linux ; ssh-ng://two');
  assert.deepEqual([...new Set(settings.map(({ from }) => from))], ['machine', 'user', 'run']);
});

for (const [name, value] of [
  ['--store', 'x'],
  ['a b', 'x'],
  ['', 'x'],
  ['cores', '1\nsandbox = false'],
  ['cores', '1 # 2'],
] as const) {
  test(`the option ${JSON.stringify([name, value])} is a usage error`, () => {
    assert.throws(() => readSettings({}, [[name, value]]), { code: 'USAGE' });
  });
}

const SECRET_SETTINGS = ['access-tokens', 'extra-access-tokens', 'impure-env'];
test('NIX_USER_CONF_FILES stands in for the files of the XDG folders, the first wins', () => {
  write('config/nix/nix.conf', 'cores = 3\n');
  const files = [write('one.conf', 'cores = 1\n'), write('two.conf', 'cores = 2\n')];
  const env = { NIX_CONF_DIR: folder, XDG_CONFIG_HOME: join(folder, 'config'), NIX_USER_CONF_FILES: files.join(':') };
  assert.deepEqual(wordsOf(readSettings(env, []), 'cores'), ['2', '1']);
});

test('evaluation asks no other machine to build, realisation does', () => {
  const settings = [{ name: 'builders', value: 'ssh://one', from: 'run' }] as const;
  assert.match(configure(settings, USUAL).variable, /^builders = $(?![^]*^builders)/m);
  assert.doesNotMatch(configure(settings, { ...USUAL, step: 'realisation' }).variable, /^builders = $/m);
});

test('secrets are for realisation, and in no file', () => {
  const settings = SECRET_SETTINGS.flatMap((name) =>
    (['machine', 'user', 'run'] as const).map((from) => ({ name, value: `${name}-of-${from}`, from })),
  );
  const evaluation = configure(settings, USUAL);
  assert.doesNotMatch(evaluation.file + evaluation.variable, /-of-/);
  const realisation = configure(settings, { ...USUAL, step: 'realisation' });
  assert.doesNotMatch(realisation.file, /-of-/);
  for (const { name, value } of settings) assert.ok(realisation.variable.includes(`${name} = ${value}\n`));
});

test('files with secrets get a name of their own inside, and evaluation does not hear of them', () => {
  const settings = [
    { name: 'netrc-file', value: '/home/me/.netrc', from: 'user' },
    { name: 'secret-key-files', value: '/home/me/key1 /home/me/key2', from: 'run' },
  ] as const;
  const secretFiles = secretFilesOf(settings, '/etc/nix');
  const lines = configure(settings, { ...USUAL, step: 'realisation', secretFiles });
  assert.match(lines.variable, /^netrc-file = \/etc\/nix\/netrc$/m);
  assert.match(lines.variable, /^secret-key-files = \/etc\/nix\/secret-key-1 \/etc\/nix\/secret-key-2$/m);
  assert.doesNotMatch(lines.file + lines.variable, /home/);
  const evaluation = configure(settings, { ...USUAL, secretFiles });
  assert.doesNotMatch(evaluation.file + evaluation.variable, /netrc|secret/);
  assert.deepEqual(
    secretFilesOf([], '/etc/nix').map(({ source }) => source),
    ['/etc/nix/netrc'],
  );
});

test('a cache with a password in its URL is for realisation', () => {
  const settings = [{ name: 'substituters', value: 'https://u:p@a.example https://b.example', from: 'user' }] as const;
  assert.match(configure(settings, USUAL).file, /^substituters = https:\/\/b\.example$/m);
});

function unsandboxed(from: Setting['from']): readonly Setting[] {
  return [{ name: 'sandbox', value: 'false', from }];
}

test("the machine's sandbox settings speak of another sandbox, the user's own win", () => {
  const realisation = { ...USUAL, step: 'realisation' } as const;
  const all = (from: Setting['from']) => {
    const { file, variable } = configure(unsandboxed(from), realisation);
    return file + variable;
  };
  assert.match(all('machine'), /^sandbox = true$/m);
  assert.doesNotMatch(all('machine'), /^sandbox = false$/m);
  assert.match(all('run'), /^sandbox = false$/m);
  assert.doesNotMatch(all('run'), /^sandbox = true$/m);
  assert.match(configure(unsandboxed('machine'), { ...realisation, daemon: true }).file, /^sandbox = false$/m);
});

test('offline, only caches in local folders are left', () => {
  const value = 'https://cache.nixos.org file:///var/cache /srv/store s3://bucket';
  const { variable } = configure([{ name: 'substituters', value, from: 'run' }], { ...USUAL, offline: true });
  assert.match(variable, /^substituters = file:\/\/\/var\/cache \/srv\/store\n(?![^]*^substituters)/m);
});

const FOLDERS: Record<string, string | null> = {
  'file:///var/cache': '/var/cache',
  'file:///var/a%20cache?trusted=1': '/var/a cache',
  '/srv/store?trusted=1': '/srv/store',
  'file://other.host/cache': null,
  'https://cache.nixos.org': null,
  daemon: null,
};
for (const [word, expected] of Object.entries(FOLDERS)) {
  test(`the folder of the substituter ${word} is ${expected}`, () => {
    assert.equal(folderOfSubstituter(word), expected);
  });
}

const SEARCH_PATHS: Record<string, readonly string[]> = {
  '': [],
  '/a:b=/c': ['/a', 'b=/c'],
  'nixpkgs=https://example.org/x.tar.gz:/a': ['nixpkgs=https://example.org/x.tar.gz', '/a'],
  'nixpkgs=channel:nixos-23.05:/a': ['nixpkgs=channel:nixos-23.05', '/a'],
  'flake:nixpkgs:n=/b': ['flake:nixpkgs', 'n=/b'],
};
for (const [text, expected] of Object.entries(SEARCH_PATHS)) {
  test(`NIX_PATH ${JSON.stringify(text)} has ${expected.length} entries`, () => {
    assert.deepEqual(splitSearchPath(text), expected);
  });
}
