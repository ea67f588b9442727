import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fixture, repositoryRoot } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { freePort } from './free-port.ts';
import { containers } from './manifests.ts';
import { pythonPackage } from './python-packages.ts';

const run = promisify(execFile);
const zeo = await pythonPackage('ZEO', '6.2', 'ZEO');

describe('the ZEO server of the deployment', { skip: zeo.skip }, () => {
  it('begins with an empty volume, keeps objects and blobs, is healthy, packs, is copied, and ends', async (t) => {
    const folder = scratch(t);
    const port = await freePort();
    const here = (text: string): string =>
      text.replaceAll('/data/', `${folder}/data/`).replaceAll('/etc/zeo.conf', join(folder, 'zeo.conf'));
    const configuration = readFileSync(fixture('deploy', 'zeo.conf'), 'utf8');
    writeFileSync(join(folder, 'zeo.conf'), here(configuration).replace('0.0.0.0:8100', `127.0.0.1:${port}`));
    const container = containers().find(({ name }) => name === 'compose.yaml zeo');
    assert.ok(container);

    const server = spawn('python3', container.args.map(here), { env: zeo.env, cwd: folder, stdio: 'ignore' });
    t.after(() => server.kill('SIGKILL'));
    const ended = once(server, 'exit');
    const python = (...args: readonly string[]): Promise<{ stdout: string }> => run('python3', args, { env: zeo.env });

    const [, ...probe] = (container.probes[0] ?? []).map((word) => word.replace(':8100', `:${port}`));
    while (server.exitCode === null && !(await succeeds(python(...probe)))) await setTimeout(100);
    const script = join(repositoryRoot, 'spec', 'deploy', 'use-zeo.py');
    assert.equal((await python(script, String(port), folder)).stdout, 'Hello a blob\n');
    await python('-m', 'ZEO.scripts.zeopack', '-d', '7', '-h', '127.0.0.1', '-p', String(port));
    assert.ok(existsSync(join(folder, 'data', 'blobstorage', '.layout')));

    const database = join(folder, 'data', 'filestorage', 'Data.fs');
    await python('-m', 'ZODB.scripts.repozo', '-B', '-r', folder, '-f', database);
    await python('-m', 'ZODB.scripts.repozo', '-R', '-r', folder, '-o', join(folder, 'restored.fs'));
    assert.deepEqual(readFileSync(join(folder, 'restored.fs')), readFileSync(database));

    server.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
  });
});

async function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}
