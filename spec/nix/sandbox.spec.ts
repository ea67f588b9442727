import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '../../src/errors.ts';
import { errorOf, isRoot, makeLab, skipNix, told } from '../support/nix-lab.ts';
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
      await lab.build(`run "reads-${settings.length}" "${script}"`, { settings });
    });
  }
}

test('an expression that lists a home, or /etc, sees nothing of them', { skip }, async () => {
  const home = await errorOf(lab.build(`run (toString (builtins.attrNames (builtins.readDir ${lab.home}))) ""`));
  assert.doesNotMatch(home.message, /docker|ssh/);
  const error = await errorOf(lab.build('throw (toString (builtins.attrNames (builtins.readDir /etc)))'));
  const names = /error: (.*)/.exec(error.message)?.[1]?.split(' ');
  const made = new Set(['group', 'hosts', 'nix', 'nsswitch.conf', 'passwd', 'pki', 'resolv.conf', 'ssl']);
  assert.deepEqual(
    names?.filter((name) => !made.has(name)),
    [],
  );
});

test("a builder's id opens nothing of the machine's: no /proc/sys, no id 0", { skip }, async () => {
  for (const settings of [[], [['sandbox', 'false']]] as const) {
    lab.events.length = 0;
    const script = `p=/proc/sys/kernel/core_pattern; v=$($b cat $p); if echo \\"$v\\" > $p; then exit 1; fi; $b touch $out`;
    await lab.build(`run "sysctl-${settings.length}" "${script}"`, { settings });
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
