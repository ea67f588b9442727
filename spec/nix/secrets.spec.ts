import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { errorOf, makeLab, skipNix, told } from '../support/nix-lab.ts';
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
      // Errors are redacted: what is looked for must not look like what it is.
      `throw (builtins.replaceStrings [ "=" ] [ "~" ] (builtins.concatStringsSep "\n" (
        [ (builtins.getEnv "NIX_CONFIG") (builtins.getEnv "SSH_AUTH_SOCK") "(" (builtins.readFile /etc/nix/netrc) ")" ]
        ++ [ (builtins.readFile /etc/nix/nix.conf) ])))`,
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
