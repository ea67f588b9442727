import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { missing } from './fixtures.ts';

const run = promisify(execFile);

export interface ContainerOptions {
  /** An OCI image layout on disk. */
  readonly layout: string;
  readonly tag?: string;
  /** Instead of the image's Cmd, after its Entrypoint. */
  readonly args?: readonly string[];
  /** Added to the image's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** True: nothing of the image can be written, not even /tmp. */
  readonly readOnly?: boolean;
  /** Folders that get an empty, writable file system of their own. */
  readonly tmpfs?: readonly string[];
  /** Folders of this machine, by where the container has them. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** The machine's own network: what listens on loopback is in reach. */
  readonly hostNetwork?: boolean;
  /** Where the image listens. @default 8080 */
  readonly port?: number;
}

export interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Container {
  /** A page of the container's port, asked for from within its network; waits until something listens there. */
  readonly get: (path: string) => Promise<Page>;
  /** The same, for any request. */
  readonly request: (path: string, request: Request) => Promise<Page>;
  /** The user and group its first process runs as, as the kernel says. */
  readonly owner: () => Promise<{ readonly uid: number; readonly gid: number }>;
  /** Runs another program in it, as `docker exec` does. */
  readonly run: (...words: readonly string[]) => Promise<{ readonly code: number; readonly output: string }>;
  /** What it wrote to stdout and stderr so far. */
  readonly output: () => string;
  /** Waits for its end and gives the exit code of its first process. */
  readonly exit: () => Promise<number>;
  /** Sends SIGTERM, or another signal, kills what is still there after ten seconds, and cleans up. Gives the exit code. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGINT') => Promise<number>;
}

/** For node:test's `skip`: false where containers can be started, else the reason why not. */
export function containersUnavailable(): string | false {
  if (process.getuid?.() !== 0) return 'starting a container with runc needs root';
  return missing('umoci', 'skopeo', 'runc', 'nsenter');
}

/**
 * Starts an image as a real runtime does: unpacked by umoci, run by runc as the image's own user without any capability, in
 * a network namespace of its own, where port 8080 is always free.
 */
export async function runContainer(options: ContainerOptions): Promise<Container> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-container-'));
  const id = basename(folder);
  const bundle = join(folder, 'bundle');
  try {
    await makeBundle(bundle, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }

  const runc = ['--root', join(folder, 'state')];
  const pidFile = join(folder, 'pid');
  const child = spawn('runc', [...runc, 'run', '--bundle', bundle, '--pid-file', pidFile, id], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const endWithUs = (): void => void child.kill(); // runc passes it on
  process.once('exit', endWithUs);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close');

  const pid = async (): Promise<string> => {
    for (;;) {
      const text = await readFile(pidFile, 'utf8').catch(() => '');
      if (text !== '') return text;
      if (!isRunning(child)) throw new Error(`the container does not start: ${output}`);
      await sleep(10);
    }
  };
  const exit = async (): Promise<number> => {
    await closed;
    return child.exitCode ?? -1;
  };

  const request = async (path: string, what: Request): Promise<Page> => {
    const address = await pid();
    for (let attempt = 1; ; attempt += 1) {
      if (!isRunning(child)) throw new Error(`the container has ended: ${output}`);
      const page = await fetchWithin(address, options.port ?? 8080, path, what);
      if (page !== undefined) return page;
      if (attempt === 600) throw new Error(`nothing listens on port 8080: ${output}`);
      await sleep(100);
    }
  };

  return {
    get: async (path) => request(path, {}),
    request,
    owner: async () => {
      const status = await readFile(`/proc/${await pid()}/status`, 'utf8');
      const effective = (name: string): number =>
        Number(new RegExp(`^${name}:\\s+\\d+\\s+(\\d+)`, 'mu').exec(status)?.[1]);
      return { uid: effective('Uid'), gid: effective('Gid') };
    },
    run: async (...words) => {
      await pid();
      const program = spawn('runc', [...runc, 'exec', id, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [program.stdout, program.stderr])
        stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await once(program, 'close');
      return { code: program.exitCode ?? -1, output: said };
    },
    output: () => output,
    exit,
    stop: async (signal = 'SIGTERM') => {
      if (isRunning(child)) await run('runc', [...runc, 'kill', id, signal]).catch(() => undefined);
      const late = setTimeout(() => void run('runc', [...runc, 'kill', id, 'KILL']).catch(() => undefined), 10_000);
      const code = await exit();
      clearTimeout(late);
      process.off('exit', endWithUs);
      await run('runc', [...runc, 'delete', '--force', id]).catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** Unpacked images, by layout, tag and digest: who writes nothing into a root may share it. */
const roots = new Map<string, Promise<string>>();

/** A runtime's bundle: unpacked for this container alone where it may write to its root. */
async function makeBundle(bundle: string, options: ContainerOptions): Promise<void> {
  const image = `${options.layout}:${options.tag ?? 'latest'}`;
  if (options.readOnly === false) await unpack(image, bundle);
  else {
    const { stdout } = await run('skopeo', ['inspect', '--raw', `oci:${image}`]);
    const key = `${image}\n${stdout}`;
    const root = roots.get(key) ?? unpackShared(image);
    roots.set(key, root);
    await mkdir(bundle);
    const unpacked = await root;
    const config: RuntimeConfig = JSON.parse(await readFile(join(unpacked, 'config.json'), 'utf8'));
    const shared = { ...config, root: { ...config.root, path: join(unpacked, config.root.path) } };
    await writeFile(join(bundle, 'config.json'), JSON.stringify(shared));
  }
  await configure(join(bundle, 'config.json'), options, await entrypoint(options));
}

async function unpackShared(image: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-root-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  await unpack(image, join(folder, 'bundle'));
  return join(folder, 'bundle');
}

async function unpack(image: string, bundle: string): Promise<void> {
  await run('umoci', ['unpack', '--image', image, bundle]);
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** What this helper reads and writes of a runtime's configuration; the rest stays as umoci derived it from the image. */
interface RuntimeConfig {
  readonly process: { readonly args: readonly string[]; readonly env: readonly string[] };
  readonly root: { readonly path: string };
  readonly mounts: readonly { readonly destination: string }[];
  readonly linux: { readonly namespaces: readonly { readonly type: string }[] };
}

async function configure(file: string, options: ContainerOptions, entry: readonly string[]): Promise<void> {
  const config: RuntimeConfig = JSON.parse(await readFile(file, 'utf8'));
  const tmpfs = (options.tmpfs ?? []).map((destination) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', 'mode=1777'],
  }));
  const binds = Object.entries(options.mounts ?? {}).map(([destination, source]) => ({
    destination,
    type: 'bind',
    source,
    options: ['rbind', 'rw'],
  }));
  const replaced = new Set([...tmpfs, ...binds].map(({ destination }) => destination));
  const changed = {
    ...config,
    process: {
      ...config.process,
      terminal: false,
      capabilities: {},
      args: options.args === undefined ? config.process.args : [...entry, ...options.args],
      env: [...config.process.env, ...Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`)],
    },
    root: { ...config.root, readonly: options.readOnly ?? true },
    // A volume of the image's is what umoci mounts at its place, unless the test has something else there.
    mounts: [...config.mounts.filter(({ destination }) => !replaced.has(destination)), ...tmpfs, ...binds],
    linux: {
      ...config.linux,
      namespaces: config.linux.namespaces.filter(({ type }) => options.hostNetwork !== true || type !== 'network'),
    },
  };
  await writeFile(file, JSON.stringify(changed));
}

/** The image's Entrypoint, which umoci's configuration no longer tells from its Cmd. */
async function entrypoint({ layout, tag = 'latest' }: ContainerOptions): Promise<readonly string[]> {
  const { stdout } = await run('skopeo', ['inspect', '--config', `oci:${layout}:${tag}`]);
  const image: { readonly config?: { readonly Entrypoint?: readonly string[] } } = JSON.parse(stdout);
  return image.config?.Entrypoint ?? [];
}

const FETCH = `
  const response = await fetch(process.argv[1], { ...JSON.parse(process.argv[2]), redirect: 'manual' });
  const { status, headers } = response;
  console.log(JSON.stringify({ status, headers: Object.fromEntries(headers), body: await response.text() }));
`;

/** A Node of ours in the network of the container; undefined while nothing listens there. */
async function fetchWithin(pid: string, port: number, path: string, request: Request): Promise<Page | undefined> {
  const url = `http://127.0.0.1:${port}${path}`;
  const node = [process.execPath, '--input-type=module', '-e', FETCH, url, JSON.stringify(request)];
  try {
    const { stdout } = await run('nsenter', ['-t', pid, '-n', ...node], { maxBuffer: 64 * 1024 * 1024 });
    const page: Page = JSON.parse(stdout);
    return page;
  } catch (error) {
    if (error instanceof Error && /ECONNREFUSED|ENETUNREACH/u.test(error.message)) return undefined;
    throw error;
  }
}
