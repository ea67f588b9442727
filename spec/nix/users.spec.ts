import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { isRoot, makeLab, PRELUDE, skipNix, which } from '../support/nix-lab.ts';
import type { Lab } from '../support/nix-lab.ts';

const skip = skipNix || (isRoot ? false : 'only root may become another user');

/** An id without an entry in the password database, as containers run with. */
const USER = 54_321;

let lab: Lab;
/** Each build has a store of its own: a second one would not build. */
let builds = 0;
before(() => {
  if (skip) return;
  lab = makeLab();
  // This process's program, and what it was compiled to, may lie where only their owner may look.
  copyFileSync(process.execPath, join(lab.folder, 'node'));
  const compiled = join(dirname(fileURLToPath(import.meta.url)), '../../src');
  cpSync(compiled, join(lab.folder, 'src'), { recursive: true });
  writeFileSync(join(lab.folder, 'package.json'), '{"type":"module"}');
  lab.write(
    'home/project/test.nix',
    `${PRELUDE} run "plain" "echo LS $($b ls /); $b mkdir $out; echo $b > $out/needs"`,
  );
  lab.write('home/.docker/config.json', '{"auths": "of the caller"}');
  mkdirSync(join(lab.folder, 'tmp'));
  chownSync(join(lab.folder, 'tmp'), USER, USER);
  chownSync(lab.home, USER, USER);
  chmodSync(lab.folder, 0o755);
});
after(() => lab?.remove());

interface Answer {
  readonly built?: { readonly storePath: string };
  readonly onDisk?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly told: readonly string[];
}

/** Builds as the other user, in a process of its own. */
function buildAs(user: number, options: object, file: string = join(lab.project, 'test.nix')): Answer {
  const script = `
    import { withNix } from ${JSON.stringify(join(lab.folder, 'src/nix/session.js'))};
    const { options, file } = JSON.parse(process.argv[1]);
    const told = [];
    const onProgress = (event) => told.push(event.line ?? event.text);
    try {
      const answer = await withNix({ ...options, onProgress }, async (nix) => {
        const built = await nix.build({ file, args: [], argstrs: [], include: [] });
        const closure = await nix.closure(built.storePath);
        return { built, onDisk: closure.paths.map((path) => path.onDisk) };
      });
      console.log(JSON.stringify({ ...answer, told }));
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message + ' ' + error.hint, told }));
    }`;
  const whole = { sandbox: 'bubblewrap', show: [], offline: false, settings: [], env: environment(), ...options };
  const ended = spawnSync(
    join(lab.folder, 'node'),
    ['--input-type=module', '-e', script, JSON.stringify({ options: whole, file })],
    { uid: user, gid: user, cwd: '/', env: { CI_JOB_TOKEN: 'secret', ...environment() }, encoding: 'utf8' },
  );
  assert.equal(ended.status, 0, ended.stderr);
  const answer: Answer = JSON.parse(ended.stdout);
  return answer;
}

function environment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: lab.home,
    TMPDIR: join(lab.folder, 'tmp'),
    NIX_CONFIG: 'substituters =\n',
    // No daemon of this machine, unless a test has one.
    NIX_DAEMON_SOCKET_PATH: join(lab.folder, 'no-socket'),
  };
}

test('a plain user without a daemon gets a store of its own in the XDG data folder', { skip }, () => {
  const answer = buildAs(USER, {});
  assert.equal(answer.code, undefined, answer.message);
  const store = join(lab.home, '.local/share/nix/root');
  for (const path of answer.onDisk ?? []) assert.ok(path.startsWith(`${store}/nix/store/`), path);
  const data = join(lab.folder, 'tmp/data');
  const other = buildAs(USER, { env: { ...environment(), XDG_DATA_HOME: data } });
  for (const path of other.onDisk ?? []) assert.ok(path.startsWith(`${data}/nix/root/nix/store/`), path);
  assert.equal(other.built?.storePath, answer.built?.storePath);
  assert.ok(answer.told.includes('LS build dev etc nix proc tmp'), answer.told.join('\n'));
});

test("a plain user's expression cannot read the caller's environment or credentials", { skip }, () => {
  for (const path of [join(lab.home, '.docker/config.json'), `/proc/${process.pid}/environ`, '/etc/passwd-']) {
    const script = `if $b cat ${path}; then exit 1; fi; if $b grep -q CI_JOB_TOKEN=secret /proc/*/environ; then exit 2; fi; $b touch $out`;
    const nix = lab.write('home/project/reads.nix', `${PRELUDE} run "reads" "${script}"`);
    for (const settings of [[], [['sandbox', 'false']]]) {
      const answer = buildAs(USER, { settings, store: join(lab.folder, `tmp/store-${builds++}`) }, nix);
      assert.equal(answer.code, undefined, answer.message);
    }
    const evaluated = lab.write('home/project/evaluates.nix', `throw (builtins.readFile ${path})`);
    assert.match(buildAs(USER, {}, evaluated).message ?? '', /No such file|does not exist/);
  }
});

test('no temporary file of a plain user is left where a build kept folders without permissions', { skip }, () => {
  const nix = lab.write('home/project/kept.nix', `${PRELUDE} run "kept" "$b mkdir -p d/e; $b chmod 0 d; exit 1"`);
  const settings = [
    ['sandbox', 'false'],
    ['keep-failed', 'true'],
  ];
  assert.equal(buildAs(USER, { settings }, nix).code, 'NIX_FAILED');
  assert.deepEqual(
    readdirSync(join(lab.folder, 'tmp')).filter((name) => name.startsWith('oci-plone-nix-')),
    [],
  );
});

const skipDaemon = skip || (which('nix-daemon') === null ? 'not in PATH: nix-daemon' : false);
test('a plain user builds through a Nix daemon, in the /nix of this machine', { skip: skipDaemon }, async () => {
  const socket = join(lab.folder, 'tmp/daemon-socket');
  const env = { ...environment(), NIX_DAEMON_SOCKET_PATH: socket };
  const daemon = spawn('nix-daemon', [], {
    env: {
      PATH: process.env['PATH'],
      NIX_DAEMON_SOCKET_PATH: socket,
      NIX_CONFIG: 'substituters =\nsandbox = false\nbuild-users-group =\n',
    },
    stdio: 'ignore',
  });
  try {
    for (let tries = 0; tries < 100 && !(await exists(socket)); tries++) await sleep(50);
    const chosen = buildAs(USER, { env });
    assert.equal(chosen.code, undefined, chosen.message);
    for (const path of chosen.onDisk ?? []) assert.ok(path.startsWith('/nix/store/'), path);
    assert.deepEqual(buildAs(USER, { env, store: 'daemon' }).built, chosen.built);
    const failing = lab.write('home/project/fails.nix', `${PRELUDE} run "fails" "echo LAST WORDS; exit 1"`);
    const failed = buildAs(USER, { env }, failing);
    assert.equal(failed.code, 'NIX_FAILED');
    assert.match(failed.message ?? '', /-fails\.drv[^]*LAST WORDS[^]*\/nix\/var\/log\/nix\/drvs/);
  } finally {
    daemon.kill('SIGTERM');
    await once(daemon, 'exit');
  }
  assert.equal(buildAs(USER, { env, store: 'daemon' }).code, 'NIX_FAILED', 'its socket is still there, nobody listens');
});

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
