import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { NixOptions } from '../../src/nix/session.ts';
import { isRoot, makeLab, skipNix, told } from '../support/nix-lab.ts';
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

/** Asks for an error, and gives it back. */
async function errorOf(promise: Promise<unknown>): Promise<OciPloneError> {
  const error: unknown = await promise.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OciPloneError, String(error));
  return error;
}

/** Files that neither an expression nor its builders may read. */
const CLOSED: Record<string, () => string> = {
  '~/.docker/config.json': () => join(lab.home, '.docker/config.json'),
  '~/.ssh': () => join(lab.home, '.ssh/id_ed25519'),
  "the password entry's ~/.profile": () => join(homedir(), '.profile'),
  '/etc/shadow': () => '/etc/shadow',
  '/etc/pip.conf': () => '/etc/pip.conf',
  '/etc/hostname': () => '/etc/hostname',
  "the caller's environ": () => `/proc/${process.pid}/environ`,
  "the caller's parent's environ": () => `/proc/${process.ppid}/environ`,
};

for (const [what, path] of Object.entries(CLOSED)) {
  test(`an expression that reads ${what} fails`, { skip }, async () => {
    const error = await errorOf(lab.build(`run "x\${builtins.readFile ${JSON.stringify(path())}}" "$b touch $out"`));
    assert.equal(error.code, 'NIX_FAILED');
    assert.match(error.message, /No such file or directory|does not exist/);
  });

  for (const settings of [[], [['sandbox', 'false']]] as const) {
    const held = settings.length === 0 ? "Nix's sandbox" : 'bubblewrap alone';
    test(`a builder held by ${held} cannot read ${what}`, { skip }, async () => {
      const script = `if $b cat ${path()}; then echo READ IT; exit 1; fi; $b touch $out`;
      await lab.build(`run "reads" "${script}"`, { settings });
    });
  }
}

test('an expression that lists a home, or /etc, sees nothing of them', { skip }, async () => {
  const home = await errorOf(lab.build(`run (toString (builtins.attrNames (builtins.readDir ${lab.home}))) ""`));
  assert.doesNotMatch(home.message, /docker|ssh/);
  const error = await errorOf(lab.build('throw (toString (builtins.attrNames (builtins.readDir /etc)))'));
  const names = /error: (.*)/.exec(error.message)?.[1]?.split(' ');
  const made = ['group', 'hosts', 'nix', 'nsswitch.conf', 'passwd', 'pki', 'resolv.conf', 'ssl'];
  assert.deepEqual(
    names?.filter((name) => !made.includes(name)),
    [],
  );
});

test('of the environment, an allow-list reaches Nix', { skip }, async () => {
  const env = { ...lab.env, CI_JOB_TOKEN: 'glpat-1', NIXPKGS_ALLOW_UNFREE: '1', https_proxy: 'http://u:p@proxy' };
  const names = ['CI_JOB_TOKEN', 'NIXPKGS_ALLOW_UNFREE', 'https_proxy', 'HOSTNAME'];
  const error = await errorOf(
    lab.build(`throw (builtins.toJSON (map builtins.getEnv ${JSON.stringify(names).replaceAll(',', ' ')}))`, { env }),
  );
  assert.match(error.message, /\["","1","",""\]/);
});

test('tokens and netrc are for realisation alone, and never in argv', { skip }, async () => {
  const netrc = lab.write('home/.netrc', 'machine example.org password hunter2');
  const secrets = `access-tokens = example.org=hunter3\nnetrc-file = ${netrc}\n`;
  lab.write('home/.config/nix/nix.conf', `!include secret.conf\n`);
  lab.write('home/.config/nix/secret.conf', 'extra-access-tokens = example.com=hunter4\n');
  const env = { ...lab.env, NIX_CONFIG: `substituters =\n${secrets}`, SSH_AUTH_SOCK: join(lab.folder, 'agent') };
  lab.write('agent', '');
  const settings = [['access-tokens', 'example.net=hunter5']] as const;
  const seen = await errorOf(
    lab.build(
      `throw (builtins.concatStringsSep "\n" (
        [ (builtins.getEnv "NIX_CONFIG") (builtins.getEnv "SSH_AUTH_SOCK") "(" (builtins.readFile /etc/nix/netrc) ")" ]
        ++ [ (builtins.readFile /etc/nix/nix.conf) ]))`,
      { env, settings },
    ),
  );
  assert.match(seen.message, /build-users-group/);
  assert.doesNotMatch(seen.message, /hunter|agent/);

  // Held by bubblewrap alone, a builder sees what nix-store is given.
  const script = `for f in /proc/[0-9]*/environ; do $b cat $f | $b tr '\\\\\\\\0' '\\\\\\\\n'; done; $b cat /etc/nix/netrc;
    echo ARGV; for f in /proc/[0-9]*/cmdline; do $b cat $f | $b tr '\\\\\\\\0' ' '; done; echo END; $b touch $out`;
  lab.events.length = 0;
  await lab.build(`run "sees" "${script}"`, { env, settings: [...settings, ['sandbox', 'false']] });
  const [environment = '', argv = ''] = told(lab).split('\nARGV');
  for (const secret of ['hunter2', 'hunter3', 'hunter4', 'hunter5', 'SSH_AUTH_SOCK=']) {
    assert.ok(environment.includes(secret), `${secret} did not reach nix-store: ${environment}`);
  }
  assert.doesNotMatch(argv.split('\nEND')[0] ?? '', /hunter/);
  lab.write('home/.config/nix/nix.conf', '');
});

test("a builder's id opens nothing of the machine's: no /proc/sys, no id 0", { skip }, async () => {
  for (const settings of [[], [['sandbox', 'false']]] as const) {
    lab.events.length = 0;
    const script = `p=/proc/sys/kernel/core_pattern; v=$($b cat $p); if echo \\"$v\\" > $p; then exit 1; fi; $b touch $out`;
    await lab.build(`run "sysctl" "${script}"`, { settings });
  }
});

test("Nix's own sandbox holds the builders where the machine allows it", { skip }, async (context) => {
  lab.events.length = 0;
  await lab.build(`run "looks" "echo ROOT $($b ls /); echo ID $($b cat /proc/self/uid_map); $b touch $out"`);
  if (lab.events.some(({ kind }) => kind === 'note')) {
    context.skip("this machine does not allow Nix's sandbox inside of bubblewrap, which the user is told");
    return;
  }
  assert.match(told(lab), /^ROOT build dev etc nix proc tmp$/m);
  if (isRoot) assert.doesNotMatch(told(lab), /^ID \d+ 0 /m);
});

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
    await lab.build(`run "reads" "${script}"`, { show, settings: [['sandbox', 'false']] });
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

/** What stands in for a bwrap that cannot work, and for one that is not there. */
const UNAVAILABLE: Record<string, { readonly bwrap: string | null; readonly code: ErrorCode; readonly told: RegExp }> =
  {
    missing: { bwrap: null, code: 'SANDBOX_UNAVAILABLE', told: /not installed/ },
    forbidden: {
      bwrap: '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n',
      code: 'SANDBOX_UNAVAILABLE',
      told: /No permissions to create new namespace/,
    },
  };
for (const [what, { bwrap, code, told: sentence }] of Object.entries(UNAVAILABLE)) {
  test(`where bubblewrap is ${what}, that is said, and nothing runs without it`, { skip }, async () => {
    const bin = join(lab.folder, `bin-${what}`);
    await mkdir(bin);
    for (const name of ['nix-instantiate', 'nix-store']) await symlink(`/usr/bin/${name}`, join(bin, name));
    if (bwrap !== null) {
      await writeFile(join(bin, 'bwrap'), bwrap);
      await chmod(join(bin, 'bwrap'), 0o755);
    }
    const error = await errorOf(lab.build('run "x" "$b touch $out"', { env: { ...lab.env, PATH: bin } }));
    assert.equal(error.code, code);
    assert.match(error.message, sentence);
    assert.match(error.hint, /--sandbox=none/);
    // Asked for, it is done without.
    await lab.build('run "x" "$b touch $out"', { env: { ...lab.env, PATH: bin }, sandbox: 'none' });
  });
}

test('where Nix is missing, that is said', { skip }, async () => {
  const error = await errorOf(lab.build('run "x" ""', { env: { ...lab.env, PATH: lab.folder } }));
  assert.equal(error.code, 'NIX_ABSENT');
});

test('offline, a builder that may use the network has none', { skip }, async () => {
  const script = `echo NET $($b wc -l < /proc/net/dev); $b touch $out`;
  for (const [offline, settings] of [
    [true, []],
    [true, [['sandbox', 'false']]],
  ] as const) {
    lab.events.length = 0;
    const fixed = `runWith { outputHash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="; outputHashMode = "flat"; n = "${String(settings.length)}"; }`;
    await lab.build(`${fixed} "net${settings.length}" "${script}"`, { offline, settings });
    assert.match(told(lab), /^NET 3$/m, 'two lines of heading, and lo');
  }
});
