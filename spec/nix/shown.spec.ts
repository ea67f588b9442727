import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { NixOptions } from '../../src/nix/session.ts';
import { errorOf, makeLab, skipNix } from '../support/nix-lab.ts';
import type { Lab } from '../support/nix-lab.ts';

const skip = skipNix;
let lab: Lab;
before(() => {
  if (skip) return;
  lab = makeLab();
  lab.write('home/.docker/config.json', '{"auths": "of the caller"}');
  lab.write('home/.ssh/id_ed25519', 'a private key');
});
after(() => lab?.remove());

test('a folder that is missing inside is named with --show, and shown with it', { skip }, async () => {
  const path = lab.write('home/other/value.nix', '"shown"');
  const nix = `run (import ${path}) "$b touch $out"`;
  const error = await errorOf(lab.build(nix));
  assert.equal(error.code, 'NIX_FAILED');
  assert.match(error.hint, new RegExp(`--show ${join(lab.home, 'other')}$`));
  assert.match((await lab.build(nix, { show: [join(lab.home, 'other')] })).storePath, /-shown$/);
  // No hint leads to what would be refused.
  const closed = await errorOf(lab.build(`import ${join(lab.home, '.ssh/id_ed25519')}`));
  assert.equal(closed.hint, '');
});

test('what is shown is read-only, and nothing else is written but the store', { skip }, async () => {
  const kept = lab.write('home/other/kept', 'as it was');
  const script = `if echo changed > ${kept}; then exit 1; fi; if $b touch /usr/x /etc/x; then exit 1; fi; $b touch $out`;
  const settings = [['sandbox', 'false']] as const;
  await lab.build(`run "writes" "${script}"`, { show: [join(lab.home, 'other')], settings });
  assert.equal(await readFile(kept, 'utf8'), 'as it was');
});

const REFUSED: Record<string, () => Partial<NixOptions>> = {
  'HOME as --show': () => ({ show: [lab.home] }),
  'a folder above HOME': () => ({ show: [lab.folder] }),
  'the home of the password entry': () => ({ show: [homedir()] }),
  'the whole machine': () => ({ show: ['/'] }),
  'a link to HOME': () => ({ show: [join(lab.folder, 'link')] }),
  '~/.ssh': () => ({ show: [join(lab.home, '.ssh')] }),
  'a folder in ~/.docker': () => ({ show: [join(lab.home, '.docker', 'contexts')] }),
  $DOCKER_CONFIG: () => ({
    show: ['/opt/../opt'].map(() => join(lab.folder, 'dc')),
    env: { ...lab.env, DOCKER_CONFIG: join(lab.folder, 'dc') },
  }),
  '/etc': () => ({ show: ['/etc'] }),
  '/proc': () => ({ show: ['/proc/1'] }),
  'HOME in NIX_PATH': () => ({ env: { ...lab.env, NIX_PATH: `nixpkgs=${lab.home}` } }),
  'HOME as a cache': () => ({ settings: [['extra-substituters', `file://${lab.home}`]] }),
};
for (const [what, options] of Object.entries(REFUSED)) {
  test(`${what} is refused, with what to do`, { skip }, async () => {
    await mkdir(join(lab.home, '.docker/contexts'), { recursive: true });
    await mkdir(join(lab.folder, 'dc'), { recursive: true });
    await symlink(lab.home, join(lab.folder, 'link')).catch(() => {});
    const error = await errorOf(lab.build('run "x" "$b touch $out"', options()));
    assert.equal(error.code, 'INPUT_REFUSED');
    assert.notEqual(error.hint, '');
  });
}

test('an expression that lies in HOME itself is refused', { skip }, async () => {
  const file = lab.write('home/bare.nix', '{}');
  const call = lab.withNix({}, (nix) => nix.build({ file, args: [], argstrs: [], include: [] }));
  assert.equal((await errorOf(call)).code, 'INPUT_REFUSED');
  await symlink(file, join(lab.project, 'link.nix'));
  const link = { file: join(lab.project, 'link.nix'), args: [], argstrs: [], include: [] };
  assert.equal((await errorOf(lab.withNix({}, (nix) => nix.build(link)))).code, 'INPUT_REFUSED');
});

test('places of credentials below a shown folder are covered', { skip }, async () => {
  lab.write('home/.config/containers/auth.json', 'covered folder');
  lab.write('home/.config/git/credentials', 'covered file');
  lab.write('home/.config/app/settings.nix', '"open"');
  const show = [join(lab.home, '.config')];
  const config = join(lab.home, '.config');
  const open = await lab.build(`run (import ${config}/app/settings.nix) "$b touch $out"`, { show });
  assert.match(open.storePath, /-open$/);
  for (const closed of ['containers/auth.json', 'git/credentials']) {
    const error = await errorOf(lab.build(`throw (builtins.readFile ${config}/${closed})`, { show }));
    assert.doesNotMatch(error.message, /covered/);
    const script = `if $b cat ${config}/${closed}; then exit 1; fi; $b touch $out`;
    await lab.build(`run "reads-${closed.replace('/', '-')}" "${script}"`, { show, settings: [['sandbox', 'false']] });
  }
  assert.equal(readFileSync(join(config, 'git/credentials'), 'utf8'), 'covered file');
});

test("a project's own $DOCKER_CONFIG is covered", { skip }, async () => {
  const docker = lab.write('home/project/ci/config.json', 'covered');
  const env = { ...lab.env, DOCKER_CONFIG: join(lab.project, 'ci') };
  const error = await errorOf(lab.build('throw (builtins.readFile ./ci/config.json)', { env }));
  assert.match(error.message, /No such file|does not exist/);
  assert.equal(readFileSync(docker, 'utf8'), 'covered');
});
