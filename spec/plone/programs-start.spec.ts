import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { missing } from '../support/fixtures.ts';
import { PYTHON, ploneVenv, skipPlone } from '../support/plone-venv.ts';
import { freePort } from '../support/registry.ts';
import { addPage, getPage, statusAs } from './plone-client.ts';
import { giveData, programLab, runProgram, startPlone } from './program-lab.ts';

const run = promisify(execFile);

const root = process.getuid?.() === 0;
const skip = await skipPlone();
const onlyRoot = root ? missing('unshare') : 'only root may make a namespace of processes';

describe('start', { skip }, () => {
  it('fills an empty volume, makes an administrator once, and ends cleanly', async (t) => {
    const lab = await programLab(t, { plone: true });
    if (root) await giveData(lab, 1000);
    const options = root ? { uid: 1000 } : {};
    const port = await freePort();

    const first = await startPlone(lab, port, options);
    const [, password = assert.fail(first.output())] = /"boss", password: (\S+)/.exec(first.output()) ?? [];
    assert.equal(await statusAs(port, '/manage_main', 'boss', password), 200);
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'baked-password'), 401);
    assert.equal((await runProgram(lab, ['health'], { env: { LISTEN_PORT: String(port) } })).code, 0);
    assert.equal((await stat(join(lab.data, 'blobstorage'))).mode & 0o777, 0o700);
    for (const file of ['', 'Data.fs'])
      assert.equal((await stat(join(lab.data, 'filestorage', file))).mode & 0o007, 0, 'nothing for the world');
    assert.equal((await first.stop('SIGINT')).code, 0);
    assert.ok((await readdir(join(lab.data, 'filestorage'))).includes('Data.fs.index'), 'written when closing');

    const second = await startPlone(lab, port, options);
    assert.ok(!second.output().includes('administrator'), second.output());
    assert.equal(await statusAs(port, '/manage_main', 'boss', password), 200);
    assert.equal((await second.stop('SIGTERM')).code, 0);
  });

  it('a uid without passwd entry and home; a given password; a site; pages stay', async (t) => {
    const lab = await programLab(t, { plone: true });
    if (root) await giveData(lab, 54_321);
    const temporary = join(lab.opt, 'tmp');
    await mkdir(temporary);
    if (root) await run('chown', ['54321', temporary]);
    const port = await freePort();
    const file = join(lab.opt, 'password');
    await writeFile(file, 'the-given-password\n');
    const env = {
      ADMIN_PASSWORD_FILE: file,
      ADMIN_PASSWORD: 'of-no-use',
      SITE: 'Plone',
      TYPE: 'classic',
      TMPDIR: temporary,
    };
    const options = { env, ...(root ? { uid: 54_321 } : {}) };

    const first = await startPlone(lab, port, options);
    assert.deepEqual(await readdir(temporary), [], 'no configuration is left');
    await addPage(port, { user: 'boss', password: 'the-given-password' }, 'Kept');
    const { code, stdout, stderr } = await first.stop('SIGINT');
    assert.equal(code, 0);
    assert.ok(!(stdout + stderr).includes('the-given-password'));

    const second = await startPlone(lab, port, options);
    const page = await getPage(port, { user: 'boss', password: 'the-given-password' }, 'kept');
    assert.equal(page, 'Kept');
    await second.stop('SIGTERM');
  });

  it('a baked user is no reason to undo a change of the password', async (t) => {
    const lab = await programLab(t, { plone: true, bakeUser: true });
    const port = await freePort();
    const first = await startPlone(lab, port);
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'baked-password'), 200);
    await first.stop('SIGINT');
    const changing = ['adduser', 'boss', '--replace', '--password-file', '-'];
    assert.equal((await runProgram(lab, changing, { input: 'changed-since\n' })).code, 0);

    const second = await startPlone(lab, port);
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'baked-password'), 401);
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'changed-since'), 200);
    await second.stop('SIGINT');
  });

  it('an operator’s password counts, also where a user is baked in', async (t) => {
    const lab = await programLab(t, { plone: true, bakeUser: true });
    const port = await freePort();
    const plone = await startPlone(lab, port, { env: { ADMIN_PASSWORD: 'of-the-operator' } });
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'baked-password'), 401);
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'of-the-operator'), 200);
    await plone.stop('SIGKILL');
  });

  it('starts again where another process made the same database at the same moment', async (t) => {
    const lab = await programLab(t, { plone: true });
    await writeFile(join(lab.opt, 'sitecustomize.py'), CONFLICT);
    const port = await freePort();
    const plone = await startPlone(lab, port, { env: { PYTHONPATH: lab.opt, ADMIN_PASSWORD: 'kept-for-the-second' } });
    assert.match(plone.output(), /conflict on purpose/);
    assert.equal(await statusAs(port, '/manage_main', 'boss', 'kept-for-the-second'), 200);
    await plone.stop('SIGKILL');
  });

  it('as PID 1 it ends on SIGINT, which the kernel would drop', { skip: onlyRoot }, async (t) => {
    const lab = await programLab(t, { plone: true });
    const port = await freePort();
    const python = [join(ploneVenv, 'bin/python'), 'start'];
    const unshare = spawn('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', ...python], {
      cwd: lab.opt,
      env: { PATH: '/usr/bin:/bin', LISTEN_PORT: String(port), ADMIN_PASSWORD: 'a-password' },
      stdio: 'ignore',
    });
    t.after(() => unshare.kill('SIGKILL'));
    while ((await statusAs(port, '/ok', 'boss', 'a-password')) !== 200) assert.equal(unshare.exitCode, null);
    const children = await readFile(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8');
    const inner = Number(children.trim());
    assert.match(await readFile(`/proc/${inner}/status`, 'utf8'), /^NSpid:\s+\d+\s+1$/m);
    const ended = once(unshare, 'close');
    process.kill(inner, 'SIGINT');
    await ended;
    assert.equal(unshare.exitCode, 0);
  });
});

describe('the first process', { skip: onlyRoot }, () => {
  it('buries orphans, and takes no child from who waits for it', async (t) => {
    const lab = await programLab(t, { plone: false });
    const script = join(lab.opt, 'orphans');
    await writeFile(script, ORPHANS);
    const { stdout } = await run('unshare', ['--pid', '--fork', '--mount-proc', PYTHON, '-B', script]);
    assert.deepEqual(JSON.parse(stdout), { pid: 1, own: [7, 7, 7], zombies: [] });
  });
});

const ORPHANS = `
import json, os, subprocess, sys, time
from oci_plone import process

process.bury_orphans(0.2)
end = [sys.executable, "-c", "import time; time.sleep(0.1); raise SystemExit(7)"]
for _ in range(3):  # each leaves one behind
    subprocess.run([sys.executable, "-c", "import subprocess, sys; subprocess.Popen(sys.argv[1:])", *end], check=True)
own = [subprocess.run(end).returncode for _ in range(3)]
deadline = time.monotonic() + 30
while time.monotonic() < deadline:
    states = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            states[name] = open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0]
        except OSError:
            pass
    zombies = [name for name, state in states.items() if state == "Z"]
    if len(states) == 1:
        break
    time.sleep(0.1)
print(json.dumps({"pid": os.getpid(), "own": own, "zombies": zombies}))
`;

/** What the slower of two clients meets on an empty database; made here, since no test can time it. */
const CONFLICT = `
import os, sys, zope.event

def opened(event):
    if type(event).__name__ == "DatabaseOpened" and "OCI_PLONE_ATTEMPT" not in os.environ:
        from ZODB.POSException import ConflictError
        print("conflict on purpose", file=sys.stderr, flush=True)
        raise ConflictError("conflict on purpose")

zope.event.subscribers.append(opened)
`;
