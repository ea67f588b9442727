import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeLab, PRELUDE, skipNix, told, which } from '../support/nix-lab.ts';
import type { Lab } from '../support/nix-lab.ts';

const skip = skipNix || (which('nix') === null ? 'not in PATH: nix, which fills the binary cache' : false);
let lab: Lab;
before(() => {
  if (!skip) lab = makeLab();
});
after(() => lab?.remove());

/** Builds only where the lab's folder `allowed` is shown, so that elsewhere it must come from a cache. */
const NIX = `run "cached" "echo BUILDING; [ -e ALLOWED ] || exit 1; $b mkdir $out; echo $b > $out/needs"`;

test('a closure comes from a file:// binary cache instead of being built', { skip }, async () => {
  const allowed = lab.write('allowed/yes', '');
  const file = lab.write('home/project/test.nix', PRELUDE + NIX.replace('ALLOWED', allowed));
  const call = { file, args: [], argstrs: [], include: [] };
  const unheld = [['sandbox', 'false']] as const;
  const built = await lab.withNix({ show: [join(lab.folder, 'allowed')], settings: unheld }, (nix) => nix.build(call));
  const closure = await lab.withNix({}, (nix) => nix.closure(built.storePath));
  const cache = `file://${join(lab.folder, 'cache')}`;
  const flags = ['--extra-experimental-features', 'nix-command', '--store', lab.store];
  execFileSync('nix', [...flags, 'copy', '--to', cache, built.storePath], {
    env: { ...process.env, HOME: lab.home, NIX_CONFIG: 'build-users-group =\nsubstituters =\n' },
    stdio: 'ignore',
  });

  const store = join(lab.folder, 'other-store');
  await assert.rejects(
    lab.withNix({ store, settings: unheld }, (nix) => nix.build(call)),
    { code: 'NIX_FAILED' },
  );
  for (const [offline, env, settings] of [
    [
      false,
      lab.env,
      [
        ['substituters', cache],
        ['require-sigs', 'false'],
      ],
    ],
    [
      true,
      lab.env,
      [
        ['substituters', `https://cache.example.org ${cache}`],
        ['require-sigs', 'false'],
      ],
    ],
    [true, { ...lab.env, NIX_CONFIG: `substituters =\nextra-substituters = ${cache}\nrequire-sigs = false` }, []],
  ] as const) {
    const from = { store: `${store}-${String(offline)}-${settings.length}`, settings, offline, env };
    lab.events.length = 0;
    await lab.withNix(from, async (nix) => {
      const { onDisk, ...again } = await nix.build(call);
      assert.deepEqual({ ...again, onDisk: built.onDisk }, built);
      assert.ok(onDisk.endsWith(built.storePath));
      const taken = await nix.closure(built.storePath);
      const facts = (paths: typeof taken.paths) =>
        paths.map(({ path, narHash, narSize, references }) => [path, narHash, narSize, references]);
      assert.deepEqual(facts(taken.paths), facts(closure.paths));
    });
    assert.doesNotMatch(told(lab), /^BUILDING$/m);
  }
});
