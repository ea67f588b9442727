import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { PYTHON } from '../support/plone-venv.ts';
import { freePort } from '../support/registry.ts';
import { type ProgramLab, failureOf, giveData, programLab, runProgram } from './program-lab.ts';

const UID = 1000;
const root = process.getuid?.() === 0;
const lowPorts = await allPortsAreFree();
const onlyRoot = root ? false : 'only root may become another user';

/** All of these are found before Zope is imported: this Python has none. */
describe('what a program of the image refuses', () => {
  let port: string;
  before(async () => {
    port = String(await freePort());
  });

  const start = async (lab: ProgramLab, env: Readonly<Record<string, string>> = {}, uid?: number): Promise<string> => {
    const ended = await runProgram(lab, ['start'], {
      python: PYTHON,
      env: { LISTEN_PORT: port, ...env },
      ...(uid === undefined ? {} : { uid }),
    });
    assert.notEqual(ended.code, 0);
    assert.ok(!ended.stderr.includes('Traceback'), ended.stderr);
    assert.ok(!/s3cret/.test(ended.stdout + ended.stderr), ended.stderr);
    return failureOf(ended);
  };

  it('a volume that this user cannot write', { skip: onlyRoot }, async (t) => {
    const lab = await programLab(t, { plone: false });
    await chmod(lab.data, 0o755);
    assert.equal(await start(lab, {}, UID), 'DATA_NOT_WRITABLE');
  });

  it('a folder of the volume that belongs to another user', { skip: onlyRoot }, async (t) => {
    const lab = await programLab(t, { plone: false });
    await giveData(lab, UID);
    await mkdir(join(lab.data, 'filestorage'), { mode: 0o755 });
    assert.equal(await start(lab, {}, UID), 'DATA_NOT_WRITABLE');
  });

  it('a Data.fs that belongs to another user', { skip: onlyRoot }, async (t) => {
    const lab = await programLab(t, { plone: false });
    await mkdir(join(lab.data, 'filestorage'));
    await writeFile(join(lab.data, 'filestorage/Data.fs'), '', { mode: 0o600 });
    await chmod(join(lab.data, 'filestorage'), 0o777);
    await giveData(lab, UID);
    assert.equal(await start(lab, {}, UID), 'DATA_NOT_WRITABLE');
  });

  it('a Data.fs that another process has open', async (t) => {
    const lab = await programLab(t, { plone: false });
    await mkdir(join(lab.data, 'filestorage'));
    const lock = join(lab.data, 'filestorage/Data.fs.lock');
    const holder = await holdLock(lock);
    assert.equal(await start(lab), 'DATABASE_LOCKED');
    await end(holder);
  });

  it('a port that is taken', async (t) => {
    const lab = await programLab(t, { plone: false });
    const server = createServer();
    await once(server.listen(Number(port), '127.0.0.1'), 'listening');
    assert.equal(await start(lab), 'PORT_TAKEN');
    server.close();
    await once(server, 'close');
  });

  it('a port that only root may have', { skip: onlyRoot || lowPorts }, async (t) => {
    const lab = await programLab(t, { plone: false });
    await giveData(lab, UID);
    assert.equal(await start(lab, { LISTEN_PORT: '81' }, UID), 'PORT_TAKEN');
  });

  it('ZEO and PostgreSQL in an image without them', async (t) => {
    const lab = await programLab(t, { plone: false });
    assert.equal(await start(lab, { ZEO_ADDRESS: 'zeo:8100' }), 'PACKAGE_MISSING');
    assert.equal(await start(lab, { RELSTORAGE_DSN: "password='s3cret'" }), 'PACKAGE_MISSING');
  });

  it('a file of the password that is not there, is empty, or no text', async (t) => {
    const lab = await programLab(t, { plone: false });
    const file = join(lab.opt, 'password');
    assert.equal(await start(lab, { ADMIN_PASSWORD_FILE: file }), 'SETTING_REFUSED');
    await writeFile(file, '\n');
    assert.equal(await start(lab, { ADMIN_PASSWORD_FILE: file }), 'SETTING_REFUSED');
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x80]));
    assert.equal(await start(lab, { ADMIN_PASSWORD_FILE: file }), 'SETTING_REFUSED');
  });

  it('arguments and files that make no sense', async (t) => {
    const lab = await programLab(t, { plone: false });
    for (const words of [['start', 'x'], ['run'], ['run', '/does/not/exist'], ['debug', 'x'], ['health', 'x']]) {
      const ended = await runProgram(lab, words, { python: PYTHON });
      assert.deepEqual([ended.code, failureOf(ended)], [2, 'USAGE'], words.join(' '));
    }
    for (const words of [['adduser'], ['create-site', '--nonsense']])
      assert.equal((await runProgram(lab, words, { python: PYTHON })).code, 2, words.join(' '));
  });

  it('health: nothing there, and something that is no Plone', async (t) => {
    const lab = await programLab(t, { plone: false });
    const health = async (): Promise<string> =>
      failureOf(await runProgram(lab, ['health'], { python: PYTHON, env: { LISTEN_PORT: port } }));
    assert.equal(await health(), 'UNHEALTHY');
    const server = createServer((socket) => void socket.on('error', () => undefined).end('HTTP/1.0 500 No\r\n\r\n'));
    await once(server.listen(Number(port), '127.0.0.1'), 'listening');
    assert.equal(await health(), 'UNHEALTHY');
    server.close();
  });

  it('an image that was put together wrongly', async (t) => {
    const lab = await programLab(t, { plone: false });
    await writeFile(join(lab.opt, 'oci-plone.json'), '{}');
    assert.equal(await start(lab), 'IMAGE_BROKEN');
  });

  it('an error that nobody foresaw keeps its traceback, and no secret', async (t) => {
    const lab = await programLab(t, { plone: false });
    await appendFile(
      join(lab.opt, 'oci_plone/ports.py'),
      '\ndef check(_):\n    raise RuntimeError("ADMIN was s3cret")\n',
    );
    const ended = await runProgram(lab, ['start'], { python: PYTHON, env: { ADMIN_PASSWORD: 's3cret' } });
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /Traceback[^]*RuntimeError: ADMIN was \*\*\*/);
  });
});

async function holdLock(path: string): Promise<ChildProcess> {
  const code =
    'import fcntl,sys; f=open(sys.argv[1],"w"); fcntl.flock(f,fcntl.LOCK_EX); print("held",flush=True); sys.stdin.read()';
  const child = spawn(PYTHON, ['-c', code, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  await once(child, 'close');
}

/** Container runtimes allow every port: net.ipv4.ip_unprivileged_port_start is 0. */
async function allPortsAreFree(): Promise<string | false> {
  const first = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024');
  return Number(first) <= 81 ? 'every user may listen on every port here' : false;
}
