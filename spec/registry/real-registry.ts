import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface RealRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

/**
 * Starts Debian's docker-registry on a free port of 127.0.0.1, with storage of its own and any `auth` setting, which
 * `spec/support/registry.ts` does not have.
 */
export async function startRealRegistry(auth: object): Promise<RealRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-registry-'));
  const config = {
    version: '0.1',
    log: { level: 'info', formatter: 'text' },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
    // Port 0: the system chooses a free one, which the log then tells.
    http: { addr: '127.0.0.1:0', secret: 'for tests' },
    auth,
  };
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config));
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const endWithUs = (): void => void child.kill();
  process.once('exit', endWithUs);
  const host = await listening(child);
  return {
    host,
    stop: async () => {
      process.off('exit', endWithUs);
      await ended(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = `${log}${text}`.slice(-10_000);
      const address = /listening on (127\.0\.0\.1:[0-9]+)/.exec(log)?.[1];
      if (address !== undefined) resolve(address);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`docker-registry ended: ${log}`)));
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
