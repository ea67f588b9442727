import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { NixOptions } from '../../src/nix/session.ts';
import { isRoot, makeLab, skipNix } from '../support/nix-lab.ts';
import type { Lab } from '../support/nix-lab.ts';

const skip = skipNix;
let lab: Lab;
before(() => {
  if (!skip) lab = makeLab();
});
after(() => lab?.remove());

/** Processes whose command line or environment holds a mark, as every one of a build's does here. */
async function alive(mark: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return command.includes(mark) || environment.includes(mark) ? [`${pid} ${command}`] : [];
    }),
  );
  return found.flat();
}

/** A builder that does not listen, with children that do not either, one of them in a session of its own. */
const STUBBORN = `trap '' TERM INT HUP; $b setsid $b sh -c 'trap \\"\\" TERM; $b sleep 1000' &
  ($b sleep 1000 &) ; echo BUILDER RUNS; while :; do $b sleep 1000; done`;

const HELD: Record<string, Partial<NixOptions>> = {
  "Nix's sandbox": {},
  'bubblewrap alone': { settings: [['sandbox', 'false']] },
  'nothing but Nix': { sandbox: 'none' },
  // Whoever leaves its parent is found by what it was given. Nix moves a store in a folder by its own sandbox only.
  ...(isRoot ? { 'nothing at all': { sandbox: 'none', store: 'local', settings: [['sandbox', 'false']] } } : {}),
};

for (const [held, options] of Object.entries(HELD)) {
  for (const why of ['signal', 'timeout'] as const) {
    test(`after a ${why} nothing is left of a build held by ${held}`, { skip }, async () => {
      const mark = `mark-${why}-${held.replaceAll(/\W/g, '')}-${process.pid}`;
      const stop = new AbortController();
      const call = lab.build(`runWith { mark = "${mark}"; } "${mark}" "${STUBBORN}"`, {
        ...options,
        graceMilliseconds: 2000,
        signal: stop.signal,
        ...(why === 'timeout' ? { timeoutSeconds: 3 } : {}),
        onProgress: (event) => {
          if (event.kind === 'nix' && event.line === 'BUILDER RUNS' && why === 'signal') stop.abort();
        },
      });
      await assert.rejects(call, { code: why === 'signal' ? 'ABORTED' : 'NIX_TIMEOUT' });
      assert.deepEqual(await alive(mark), []);
    });
  }
}

test('an evaluation without end is stopped, too', { skip }, async () => {
  const call = lab.build(
    `let l = builtins.genList (x: x) 10000; sum = f: builtins.foldl' (a: x: a + f x) 0 l;
    in sum (x: sum (y: sum (z: z)))`,
    { timeoutSeconds: 1, graceMilliseconds: 200 },
  );
  await assert.rejects(call, { code: 'NIX_TIMEOUT' });
  assert.deepEqual(await alive(lab.project), []);
});

test('a signal that fired before wins over everything', { skip }, async () => {
  const call = lab.build(`run "x" ""`, { timeoutSeconds: 0, signal: AbortSignal.abort() });
  await assert.rejects(call, { code: 'ABORTED' });
});

test('the store works on after a build was killed', { skip }, async () => {
  const stop = new AbortController();
  const nix = `run "again" "echo BUILDER RUNS; $b sleep 1; $b touch $out"`;
  const killed = lab.build(nix, {
    signal: stop.signal,
    graceMilliseconds: 0,
    onProgress: (event) => {
      if (event.kind === 'nix' && event.line === 'BUILDER RUNS') stop.abort();
    },
  });
  await assert.rejects(killed, { code: 'ABORTED' });
  assert.match((await lab.build(nix)).storePath, /-again$/);
});
