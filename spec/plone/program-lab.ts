import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sortedMappings } from '../../src/plone/mapping.ts';
import { FACTS_FILE, programFacts } from '../../src/plone/programs.ts';
import { rewriteWsgiIni } from '../../src/plone/wsgi-ini.ts';
import { rewriteZopeConf } from '../../src/plone/zope-conf.ts';
import { repositoryRoot } from '../support/fixtures.ts';
import { ploneVenv } from '../support/plone-venv.ts';
import { runRecipeOf } from '../support/zope2instance.ts';

/** What stands for an image: /opt with the programs and an instance, and the volume. */
export interface ProgramLab {
  readonly opt: string;
  readonly data: string;
  /** What runs in it, and is killed with the test. */
  readonly children: Set<ChildProcess>;
}

/** A test, or what else runs this at its end. */
export interface Cleaned {
  readonly after: (clean: () => Promise<void>) => void;
}

export interface RunOptions {
  readonly python?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of who runs the tests, as root. The group is the same number. */
  readonly uid?: number;
  readonly input?: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly output: () => string;
  readonly ended: () => boolean;
  readonly stop: (signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL') => Promise<Ended>;
}

/** Without a Plone: files as the recipe writes them, for what is refused before Zope is imported. */
export const ZOPE_CONF = `%define INSTANCEHOME /opt/parts/instance
instancehome $INSTANCEHOME
%define CLIENTHOME /data/instance
clienthome $CLIENTHOME
debug-mode off
<environment>
    CHAMELEON_CACHE /data/cache
</environment>
<zodb_db main>
    # Main database
    cache-size 30000
    <blobstorage>
      blob-dir /data/blobstorage
      <filestorage>
        path /data/filestorage/Data.fs
      </filestorage>
    </blobstorage>
    mount-point /
</zodb_db>
`;

export const WSGI_INI = `[server:main]
use = egg:plone.recipe.zope2instance#main
fast-listen = 127.0.0.1:8080

[app:zope]
use = egg:Zope#main
zope_conf = /opt/parts/instance/etc/zope.conf
`;

/** A folder with the programs; its instance is `ZOPE_CONF`'s, or the recipe's own where a Plone is there to start. */
export async function programLab(
  t: Cleaned,
  options: { readonly plone: boolean; readonly bakeUser?: boolean },
): Promise<ProgramLab> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-programs-'));
  const lab = { opt: join(folder, 'opt'), data: join(folder, 'data'), children: new Set<ChildProcess>() };
  t.after(async () => {
    const ends = [...lab.children].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'close');
    });
    await Promise.all(ends);
    await rm(folder, { recursive: true, force: true });
  });
  await chmod(folder, 0o755);
  const etc = join(lab.opt, 'parts/instance/etc');
  await mkdir(etc, { recursive: true });
  await mkdir(lab.data);

  const facts = { data: lab.data, zopeConf: 'parts/instance/etc/zope.conf', wsgiIni: 'parts/instance/etc/wsgi.ini' };
  cpSync(join(repositoryRoot, 'src/plone/programs'), lab.opt, { recursive: true });
  await writeFile(join(lab.opt, FACTS_FILE), programFacts({ ...facts, user: 'boss' }));
  if (options.plone) await writeInstance(lab, join(folder, 'buildout'), options.bakeUser ?? false);
  else {
    const here = (text: string): string => text.replaceAll('/opt', lab.opt).replaceAll('/data', lab.data);
    await writeFile(join(etc, 'zope.conf'), here(ZOPE_CONF));
    await writeFile(join(etc, 'wsgi.ini'), here(WSGI_INI));
  }
  return lab;
}

/** What the recipe writes, rewritten as for an image. */
async function writeInstance({ opt, data }: ProgramLab, buildout: string, bakeUser: boolean): Promise<void> {
  runRecipeOf(ploneVenv, [{ folder: buildout, options: { eggs: 'Plone', user: 'boss:baked-password' } }]);
  const mappings = sortedMappings([
    { from: buildout, to: opt },
    { from: join(buildout, 'var'), to: data },
  ]);
  const home = 'parts/instance';
  for (const name of ['etc/zope.conf', 'etc/wsgi.ini', 'etc/site.zcml', 'inituser']) {
    if (name === 'inituser' && !bakeUser) continue;
    const file = join(buildout, home, name);
    const before = await readFile(file, 'utf8');
    const rewrite = { mappings, logs: 'stdout', file } as const;
    const text = name.endsWith('.conf')
      ? rewriteZopeConf(before, { ...rewrite, eggs: [] }).text
      : name.endsWith('.ini')
        ? rewriteWsgiIni(before, rewrite).text.replace('0.0.0.0:', '127.0.0.1:')
        : before;
    await writeFile(join(opt, home, name), text);
  }
  await rm(buildout, { recursive: true });
}

/** Gives the volume, empty or not, to a user. */
export async function giveData({ data }: ProgramLab, uid: number): Promise<void> {
  await chown(data, uid, uid);
  await chmod(data, 0o770);
}

/** Runs a program of the image to its end, as `docker run IMAGE program arguments` does. */
export async function runProgram(lab: ProgramLab, words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(lab, words, options).done;
}

/** Starts Plone, and waits until /ok answers or the process has ended. */
export async function startPlone(lab: ProgramLab, port: number, options: RunOptions = {}): Promise<Running> {
  const env = { ...options.env, LISTEN_PORT: String(port) };
  const { child, output, done } = start(lab, ['start'], { ...options, env });
  let ended: Ended | undefined;
  void done.then((result) => (ended = result));
  const isOk = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${port}/ok`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  const isOver = (): boolean => ended !== undefined;
  while (!isOver() && !(await isOk())) await sleep(100);
  return {
    output,
    ended: isOver,
    stop: async (signal) => {
      child.kill(signal);
      return done;
    },
  };
}

function start(lab: ProgramLab, words: readonly string[], options: RunOptions) {
  const python = options.python ?? join(ploneVenv, 'bin/python');
  const as =
    options.uid === undefined ? [] : ['setpriv', `--reuid=${options.uid}`, `--regid=${options.uid}`, '--clear-groups'];
  const [command = '', ...rest] = [...as, python, ...words];
  const child = spawn(command, rest, {
    cwd: lab.opt,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', PYTHONDONTWRITEBYTECODE: '1', ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  lab.children.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const done = once(child, 'close').then(() => {
    process.off('exit', endWithUs);
    lab.children.delete(child);
    return { code: child.exitCode, stdout, stderr };
  });
  return { child, done, output: () => stdout + stderr };
}

/** The code that a program gave for its failure, such as PORT_TAKEN, or all it wrote where there is none. */
export function failureOf({ stderr }: Ended): string {
  return /^[a-z-]+: ([A-Z_]+): /m.exec(stderr)?.[1] ?? stderr;
}
