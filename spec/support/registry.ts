import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The one user of a registry that asks for a password. */
export const REGISTRY_USER = { username: 'plone', password: 'secret-of-the-tests' } as const;
const HTPASSWD = 'plone:$2y$05$ociplonetestssaltsaltePk1YIQ3fuPN6aEC928zbl4rpsxjJtK.\n';

export interface Registry {
  /** `127.0.0.1:PORT`, the first part of a reference. */
  readonly host: string;
  /** What the registry wrote so far: each request is a line. */
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Debian's docker-registry on a free loopback port, with a storage of its own; `auth` lets only REGISTRY_USER in. */
export async function startRegistry(options: { readonly auth?: boolean } = {}): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-registry-'));
  for (let attempt = 1; ; attempt += 1) {
    const registry = await tryToStart(folder, await freePort(), options.auth ?? false);
    if (typeof registry !== 'string') return registry;
    // Between finding a free port and listening on it, another process may have taken it.
    if (attempt === 3) {
      await rm(folder, { recursive: true });
      throw new Error(`docker-registry does not start: ${registry}`);
    }
  }
}

async function tryToStart(folder: string, port: number, auth: boolean): Promise<Registry | string> {
  const host = `127.0.0.1:${port}`;
  const configuration = {
    version: '0.1',
    log: { accesslog: { disabled: false }, level: 'warn' },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') }, delete: { enabled: true } },
    http: { addr: host, secret: 'of no use here' },
    ...(auth ? { auth: { htpasswd: { realm: 'tests', path: join(folder, 'htpasswd') } } } : {}),
  };
  await writeFile(join(folder, 'htpasswd'), HTPASSWD);
  await writeFile(join(folder, 'config.yml'), JSON.stringify(configuration)); // JSON is YAML

  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): void => void child.kill();
  process.once('exit', endWithUs);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const failure = once(child, 'error').then(([error]) => String(error));

  const stop = async (): Promise<void> => {
    process.off('exit', endWithUs);
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  while (isRunning(child)) {
    if (await answers(host)) return { host, log: () => output, stop };
    await Promise.race([sleep(20), failure]);
  }
  process.off('exit', endWithUs);
  return child.pid === undefined ? await failure : output;
}

async function answers(host: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}/v2/`);
    await response.arrayBuffer();
    return response.headers.has('docker-distribution-api-version');
  } catch {
    return false;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

async function end(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

/** One that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
