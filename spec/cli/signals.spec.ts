import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Running, runCli, startCli } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { APP_PATH, type Folder, documentsOf, everythingIn, labFolder, tarOf, writeApp } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
type Name = keyof typeof SIGNALS;
const NAMES: readonly Name[] = ['SIGINT', 'SIGTERM'];

let lab: Folder;
let env: Readonly<Record<string, string>>;
beforeEach(async () => {
  lab = await labFolder();
  mkdirSync(join(lab.folder, 'work'));
  mkdirSync(join(lab.folder, 'tmp'));
  env = { TMPDIR: join(lab.folder, 'tmp') };
});
afterEach(() => lab.remove());

function start(args: readonly string[], stdin?: Readable): Running {
  return startCli(args, { cwd: join(lab.folder, 'work'), env, ...(stdin === undefined ? {} : { stdin }) });
}

/** Nothing in the output's folder, nothing in the temporary one. */
function assertNothingLeft(): void {
  assert.deepEqual(everythingIn(join(lab.folder, 'work')), []);
  assert.deepEqual(everythingIn(join(lab.folder, 'tmp')), []);
}

async function said(running: Running, what: RegExp): Promise<void> {
  while (!what.test(running.stderr())) {
    assert.equal(running.child.exitCode, null, running.stderr());
    await sleep(5);
  }
}

describe('a signal', () => {
  for (const name of NAMES)
    it(
      `${name} while Nix builds: the whole tree is gone, nothing half-written stays`,
      { skip: nix.skip || missing('bwrap') },
      async () => {
        const store = join(lab.folder, 'store');
        const running = start(['pack', fixture('expressions', 'slow.nix'), '--store', store]);
        const pid = running.child.pid ?? 0;
        // The builder and its children: `sleep` under the shell that started it, under Nix, under bubblewrap.
        let tree = descendants(pid);
        while (tree.filter(({ command }) => /\bsleep\b.*3600/.test(command)).length < 2) {
          assert.equal(running.child.exitCode, null, running.stderr());
          await sleep(10);
          tree = descendants(pid);
        }
        running.child.kill(name);
        const { code, stdout, stderr } = await running.finished;
        assert.deepEqual([code, stdout], [SIGNALS[name], ''], stderr);
        assert.match(stderr, /^oci-plone: ABORTED: /m);
        assert.deepEqual(
          tree.filter(({ pid: one, start: since }) => startOf(one) === since).map(({ command }) => command),
          [],
        );
        assertNothingLeft();
      },
    );

  for (const name of NAMES)
    it(`${name} while stdin has nothing to say`, async () => {
      const stdin = new Readable({ read: () => undefined });
      stdin.push((await tarOf([{ name: 'first', content: 'x' }])).subarray(0, 1024));
      const running = start(['pack', '-', '-o', 'x.oci'], stdin);
      await said(running, /reading/);
      running.child.kill(name);
      const { code, stdout } = await running.finished;
      assert.deepEqual([code, stdout], [SIGNALS[name], '']);
      assertNothingLeft();
    });
});

describe('kill -9', () => {
  const BIG = { name: `${APP_PATH.slice(1)}/big`, content: Buffer.alloc(48 * 1024 * 1024, 'some numbers') };

  for (const when of ['reading', 'packing'])
    it(`while ${when}: there is no layout, and the next run clears up`, async () => {
      const input = await writeApp(join(lab.folder, 'app.nix.tar'), { more: [BIG] });
      await killed(start(['pack', input, '-o', 'app.oci']), new RegExp(when));
      assert.ok(!existsSync(join(lab.folder, 'work/app.oci')));
      assert.notEqual(
        readdirSync(join(lab.folder, 'work')).length,
        0,
        'the kill came before there was anything to clear up',
      );
      const { code } = await start(['pack', input, '-o', 'app.oci']).finished;
      assert.equal(code, 0);
      assert.deepEqual(readdirSync(join(lab.folder, 'work')), ['app.oci']);
    });

  it('while a layout gets another reference: it is as it was, and the next run clears up', async () => {
    const small = await writeApp(join(lab.folder, 'small.nix.tar'));
    const input = await writeApp(join(lab.folder, 'app.nix.tar'), { more: [BIG] });
    const first = await start(['pack', small, '-o', 'app.oci', '-t', 'one']).finished;
    const before = everythingIn(join(lab.folder, 'work/app.oci'));
    await killed(start(['pack', input, '-o', 'app.oci', '-t', 'two']), /packing/);
    assert.deepEqual(everythingIn(join(lab.folder, 'work/app.oci')), before);
    const layout = join(lab.folder, 'work/app.oci');
    assert.equal(documentsOf(layout, 'one').descriptor.digest, first.stdout.trim());
    const second = await start(['pack', input, '-o', 'app.oci', '-t', 'two']).finished;
    assert.equal(second.code, 0, second.stderr);
    assert.deepEqual(readdirSync(join(lab.folder, 'work')), ['app.oci']);
    for (const [tag, { stdout }] of Object.entries({ one: first, two: second })) {
      const { stdout: json } = await runCli(['inspect', `${layout}:${tag}`, '--json']);
      const { digest }: { readonly digest: string } = JSON.parse(json);
      assert.equal(digest, stdout.trim());
    }
  });
});

async function killed(running: Running, when: RegExp): Promise<void> {
  await said(running, when);
  running.child.kill('SIGKILL');
  const { code, stdout } = await running.finished;
  assert.deepEqual([code, stdout], [null, '']);
}

interface Process {
  readonly pid: number;
  /** When it was started: a number may be used again. */
  readonly start: string | undefined;
  readonly command: string;
}

function descendants(root: number): readonly Process[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) parents.set(Number(name), Number(stat(name)?.[1]));
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found.slice(1).map((pid) => ({ pid, start: startOf(pid), command: commandOf(pid) }));
}

/** The fields of proc(5) after the command's name: state, parent, … */
function stat(pid: number | string): readonly string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function startOf(pid: number): string | undefined {
  return stat(pid)?.[19];
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
