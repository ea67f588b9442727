import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CHOICES } from '../../src/index.ts';
import { type Finished, runCli } from '../support/cli.ts';
import { repositoryRoot } from '../support/fixtures.ts';
import { type Folder, everythingIn, labFolder, writeApp } from '../support/packed.ts';

const COMMANDS = ['pack', 'nix', 'buildout', 'push', 'inspect', 'instance'] as const;

describe('the command line', () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
    await writeApp(join(lab.folder, 'app.nix.tar'));
  });
  after(() => lab.remove());

  const run = (...args: readonly string[]): Promise<Finished> => runCli(args, { cwd: lab.folder });

  it('tells its version', async () => {
    const { version }: { readonly version: string } = JSON.parse(
      readFileSync(join(repositoryRoot, 'package.json'), 'utf8'),
    );
    for (const flag of ['--version', '-V'])
      assert.deepEqual(await run(flag), { code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('tells its commands and exit codes', async () => {
    for (const flag of ['--help', '-h', 'help']) {
      const { code, stdout, stderr } = await run(flag);
      assert.deepEqual([code, stderr], [0, '']);
      for (const command of COMMANDS) assert.ok(stdout.includes(`oci-plone ${command} `), command);
      for (const exit of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130, 143]) assert.match(stdout, new RegExp(`\\b${exit}\\b`));
    }
  });

  for (const command of COMMANDS)
    it(`has help with examples: ${command}`, async () => {
      const { code, stdout, stderr } = await run(command, '--help');
      assert.deepEqual([code, stderr], [0, '']);
      const [flags = '', examples = ''] = stdout.split('\nExamples:\n');
      const shown = examples.split('\n').filter((line) => line.includes(`oci-plone ${command}`));
      assert.ok(shown.length >= 2, examples);
      for (const [flag] of examples.matchAll(/(?<= )--?[a-z][a-z-]*/g))
        if (!['-r', '-i', '-v'].includes(flag)) assert.match(flags, new RegExp(`(^|[ ,])${flag}\\b`, 'm'), flag);
      assert.equal((await run(command, '-h')).stdout, stdout);
    });

  it('names every choice in the help of pack', async () => {
    const { stdout } = await run('pack', '--help');
    for (const word of Object.values(CHOICES).flat()) assert.ok(stdout.includes(word), word);
  });

  const single = [
    '--output',
    '-o',
    '--tag',
    '-t',
    '--attr',
    '-A',
    '--store',
    '--sandbox',
    '--timeout',
    '--entrypoint',
    '--cmd',
    '--workdir',
    '--user',
    '--stop-signal',
    '--platform',
    '--layers',
    '--encoder',
    '--compression',
    '--max-entries',
    '--max-bytes',
    '--max-ratio',
  ];
  const wrong: readonly (readonly string[])[] = [
    [],
    ['nope'],
    ['--nope'],
    ['constructor'],
    ['pack'],
    ['pack', 'app.nix.tar', 'other'],
    ['pack', 'app.nix.tar', '--nope'],
    ['pack', 'app.nix.tar', '-z'],
    ['pack', 'app.nix.tar', '--json=yes'],
    ['pack', 'app.nix.tar', '--tag'],
    ['pack', 'app.nix.tar', '--arg', 'name'],
    ['pack', 'app.nix.tar', '--label', 'no-value'],
    ['pack', 'app.nix.tar', '--env', 'NOTHING'],
    ['pack', 'app.nix.tar', '--timeout', 'soon'],
    ['pack', 'app.nix.tar', '--cmd', '[1]'],
    ['pack', 'app.nix.tar', '--cmd', '["-m"'],
    ['pack', 'app.nix.tar', '--encoder', 'lzma'],
    ['pack', 'app.nix.tar', '--compression', 'xz'],
    ['pack', 'app.nix.tar', '--layers', 'many'],
    ['pack', 'app.nix.tar', '--sandbox', 'docker'],
    ['pack', 'app.nix.tar', '--no-default', 'all'],
    ['pack', 'app.nix.tar', '--platform', 'amd64'],
    ['pack', 'app.nix.tar', '-o', 'app.tar.gz'],
    ['pack', 'app.nix.tar', '--layers', 'verbatim'],
    ['pack', 'app.nix.tar', '-o', 'x.nix.tar', '--push', 'localhost:1/x'],
    ['pack', 'app.nix.tar', '-o', 'x.nix.tar', '--tag', 'x'],
    ['pack', '-'],
    ['push'],
    ['push', 'app.oci'],
    ['push', 'app.oci', 'not a reference'],
    ['push', 'app.oci', 'localhost/x', '--tag', 'x'],
    ['nix'],
    ['nix', 'buildout.cfg', 'part', 'other'],
    ['nix', 'buildout.cfg', '--python', 'three'],
    ['nix', 'buildout.cfg', '--nixpkgs', 'https://example.org/nixpkgs.tar.gz'],
    ['nix', 'buildout.cfg', '--output', 'a', '--output', 'b'],
    ['buildout'],
    ['buildout', 'show'],
    ['buildout', 'show', 'a.cfg', 'b', 'c'],
    ['buildout', 'annotate', 'a.cfg'],
    ['pack', 'app.nix.tar', '--python', '3.11.2'],
    ['pack', 'app.nix.tar', '--frozen'],
    ['pack', 'app.nix.tar', '--upgrade'],
    ['pack', 'app.nix.tar', '--index', 'x'],
    ['inspect'],
    ['inspect', 'a', 'b'],
    ['inspect', 'a', '--quiet'],
    ['instance'],
    ['instance', '.', 'b'],
    ['instance', '.', '--in-place', '-o', 'x'],
    ['instance', '.', '--mount', 'opt'],
    ['instance', '.', '--mount', '/opt', '--mount', '/opt'],
    ['instance', '.', '--part', '../x'],
    ['instance', '.', '--nope'],
    ...single.map((flag) => ['pack', 'app.nix.tar', flag, '1', flag, '1']),
  ];
  it('tells which flag or command is spelled nearly the same', async () => {
    assert.match(
      (await run('pack', 'app.nix.tar', '--outptu', 'x')).stderr,
      /no flag --outptu; did you mean "output"\?/,
    );
    assert.match((await run('inspct', 'app.oci')).stderr, /no command "inspct"; did you mean "inspect"\?/);
    assert.doesNotMatch((await run('pack', 'app.nix.tar', '--zzz')).stderr, /did you mean/);
  });

  for (const args of wrong)
    it(`is used wrongly: ${args.join(' ') || 'nothing'}`, async () => {
      const { code, stdout, stderr } = await run(...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.notEqual(stderr, '');
      assert.deepEqual(everythingIn(lab.folder), ['app.nix.tar']);
    });
});
