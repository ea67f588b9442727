import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { SEED, randomNumbers, times } from '../support/chance.ts';
import { runCli, startCli } from '../support/cli.ts';
import { missing } from '../support/fixtures.ts';
import { checkAtRest, checkLayout } from '../support/layouts.ts';
import { APP_PATH, type Folder, everythingIn, labFolder, writeApp } from '../support/packed.ts';

const run = promisify(execFile);

/** scripts/fuzz.sh asks for twenty times as many. */
const KILLS = times(10);

describe(`kill -9 at ${KILLS} random moments of pack`, () => {
  let lab: Folder;
  let work: string;
  let tmp: string;
  before(async () => {
    lab = await labFolder();
    [work, tmp] = [join(lab.folder, 'work'), join(lab.folder, 'tmp')];
    for (const folder of [work, tmp]) mkdirSync(folder);
    const more = Array.from({ length: 12 }, (_, index) => ({
      name: `${APP_PATH.slice(1)}/big-${index}`,
      content: index % 2 === 0 ? Buffer.alloc(1024 ** 2, `some text ${index} `) : randomBytes(1024 ** 2),
    }));
    const tar = await writeApp(join(lab.folder, 'app.nix.tar'), { more });
    writeFileSync(`${tar}.gz`, gzipSync(readFileSync(tar), { level: 1 }));
  });
  after(() => lab.remove());

  /** The output's folder holds nothing but what was asked for, and TMPDIR nothing at all. */
  function assertClear(expected: readonly string[]): void {
    assert.deepEqual(readdirSync(work), expected);
    assert.deepEqual(everythingIn(tmp), []);
  }

  const flags = (attempt: number, tag: string): string[] => {
    const input = join(lab.folder, attempt % 3 === 0 ? 'app.nix.tar' : 'app.nix.tar.gz');
    const encoder = attempt % 2 === 0 ? [] : ['--encoder=zlib'];
    // Another label is another image, so that a reference is replaced and its blobs removed.
    return ['pack', input, '-o', 'app.oci', '-t', tag, '--label', `attempt=${attempt}`, ...encoder];
  };

  it(
    'leaves the layout absent or valid, and the next run succeeds and clears up',
    { timeout: 3_600_000 },
    async (t) => {
      t.diagnostic(`OCI_PLONE_SEED=${SEED}`);
      const random = randomNumbers(SEED);
      const options = { cwd: work, env: { TMPDIR: tmp } };
      let longest = 0;
      let [absent, valid] = [0, 0];
      for (let attempt = 0; attempt < KILLS; attempt++) {
        const begun = performance.now();
        const whole = await runCli(flags(attempt, `t${attempt % 2}`), options);
        longest = Math.max(longest, performance.now() - begun);
        assert.equal(whole.code, 0, whole.stderr);
        const tags = checkAtRest(join(work, 'app.oci'));
        assert.equal(tags[`t${attempt % 2}`], whole.stdout.trim());
        assertClear(['app.oci']);
        // Half of the time from nothing.
        if (random(2) === 0) await run('rm', ['-rf', join(work, 'app.oci')]);

        const running = startCli(flags(attempt + 1, 't1'), options);
        await sleep(random(Math.ceil(longest * 1.05)));
        running.child.kill('SIGKILL');
        await running.finished;
        if (!existsSync(join(work, 'app.oci'))) {
          absent += 1;
          continue;
        }
        valid += 1;
        const { tags: kept } = checkLayout(join(work, 'app.oci'));
        if (attempt % 10 === 0) for (const tag of Object.keys(kept)) await validate(tag);
      }
      const last = await runCli(flags(KILLS, 'last'), options);
      assert.equal(last.code, 0, last.stderr);
      assert.equal(checkAtRest(join(work, 'app.oci'))['last'], last.stdout.trim());
      assertClear(['app.oci']);
      t.diagnostic(`absent ${absent}, valid ${valid}`);
    },
  );

  async function validate(tag: string): Promise<void> {
    const layout = join(work, 'app.oci');
    const scratch = join(lab.folder, 'validated');
    if (missing('umoci') === false)
      await run('umoci', ['unpack', '--rootless', '--image', `${layout}:${tag}`, join(scratch, 'bundle')]);
    if (missing('skopeo') === false)
      await run('skopeo', ['--insecure-policy', 'copy', `oci:${layout}:${tag}`, `oci:${join(scratch, 'copy')}:x`]);
    await run('chmod', ['-R', 'u+w', scratch]).catch(() => undefined);
    await run('rm', ['-rf', scratch]);
  }

  it('leaves an image archive absent or whole, as it was or as it becomes', { timeout: 3_600_000 }, async () => {
    const random = randomNumbers(SEED + 1);
    const options = { cwd: work, env: { TMPDIR: tmp } };
    await run('rm', ['-rf', join(work, 'app.oci')]);
    const pack = (attempt: number): string[] => [
      'pack',
      join(lab.folder, 'app.nix.tar.gz'),
      '-o',
      'app.tar',
      '--label',
      `attempt=${attempt % 2}`,
    ];
    const begun = performance.now();
    const digests = [(await runCli(pack(0), options)).stdout, (await runCli(pack(1), options)).stdout];
    const long = performance.now() - begun;
    for (let attempt = 0; attempt < Math.ceil(KILLS / 3); attempt++) {
      const running = startCli(pack(attempt), options);
      await sleep(random(Math.ceil(long / 2)));
      running.child.kill('SIGKILL');
      await running.finished;
      const { code, stdout, stderr } = await runCli(['inspect', 'app.tar', '--json'], options);
      assert.equal(code, 0, stderr);
      const { digest }: { readonly digest: string } = JSON.parse(stdout);
      assert.ok(digests.includes(`${digest}\n`));
    }
    assert.equal((await runCli(pack(0), options)).stdout, digests[0]);
    assertClear(['app.tar']);
  });
});

describe('two packs into one output at once', () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
    const content = Buffer.alloc(4 * 1024 ** 2, 'some text that is packed');
    await writeApp(join(lab.folder, 'app.nix.tar'), { more: [{ name: `${APP_PATH.slice(1)}/big`, content }] });
  });
  after(() => lab.remove());

  const CASES: Readonly<Record<string, (number: number) => readonly string[]>> = {
    'a layout, under two references': (number) => ['-o', 'a.oci', '-t', `t${number}`, '--label', `n=${number}`],
    'a layout, under one reference': (number) => ['-o', 'b.oci', '--label', `n=${number}`],
    'a layout, the same image': () => ['-o', 'c.oci'],
    'an image archive': (number) => ['-o', 'd.tar', '--label', `n=${number}`],
  };
  for (const [what, flags] of Object.entries(CASES))
    it(`both succeed: ${what}`, async () => {
      for (let round = 0; round < times(2); round++) {
        const args = [0, 1].map((number) => ['pack', 'app.nix.tar', ...flags(number + 2 * round)]);
        const both = await Promise.all(args.map((words) => runCli(words, { cwd: lab.folder })));
        for (const { code, stderr } of both) assert.equal(code, 0, stderr);
        const [, output = ''] = flags(0);
        const digests = both.map(({ stdout }) => stdout.trim());
        if (output.endsWith('.oci')) {
          const tags = checkAtRest(join(lab.folder, output));
          const made = Object.values(tags);
          assert.ok(made.some((digest) => digests.includes(digest)));
          if (what.includes('two references'))
            assert.deepEqual(
              digests.filter((digest) => !made.includes(digest)),
              [],
            );
        } else {
          const { code, stdout } = await runCli(['inspect', output, '--json'], { cwd: lab.folder });
          const { digest }: { readonly digest: string } = JSON.parse(stdout);
          assert.ok(code === 0 && digests.includes(digest));
        }
        assert.deepEqual(
          readdirSync(lab.folder).filter((name) => name.startsWith('.')),
          [],
        );
      }
    });
});
