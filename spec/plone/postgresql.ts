import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { missing } from '../support/fixtures.ts';
import { freePort } from '../support/registry.ts';

const run = promisify(execFile);

export const DATABASE_PASSWORD = 'pa$$word of-the-database';

/** Debian keeps the server's programs beside each other's versions, and off the PATH. */
const BASE = '/usr/lib/postgresql';

function programs(): string | undefined {
  try {
    const versions = readdirSync(BASE).sort((one, other) => Number(other) - Number(one));
    return versions.map((version) => join(BASE, version, 'bin')).find((bin) => readdirSync(bin).includes('initdb'));
  } catch {
    return undefined;
  }
}

/** For node:test's `skip`. */
export function skipPostgresql(): string | false {
  if (programs() === undefined) return 'not installed: postgresql';
  // It refuses to run as root.
  return process.getuid?.() === 0 ? missing('setpriv') : false;
}

export interface Postgresql {
  readonly port: number;
  readonly dsn: (password?: string) => string;
  /** Runs SQL in a session of its own, and gives what it answers, a line a row. */
  readonly sql: (statements: string) => Promise<string>;
  /** A session that stays: what is written to it runs, until it is ended. */
  readonly session: () => Writable;
  readonly stop: () => Promise<void>;
}

/** A cluster of the test's own, on loopback; its one user has a password, and a database `plone`. */
export async function startPostgresql(): Promise<Postgresql> {
  const bin = programs() ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-postgresql-'));
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const as = process.getuid?.() === 0 ? nobody : [];
  await chmod(folder, 0o777);
  await writeFile(join(folder, 'password'), `${DATABASE_PASSWORD}\n`);
  const command = (words: readonly string[]): [string, string[]] => {
    const [first = '', ...rest] = [...as, ...words];
    return [first, rest];
  };
  const data = join(folder, 'data');
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  const password = ['--username=plone', `--pwfile=${join(folder, 'password')}`, '--auth=scram-sha-256'];
  await run(...command([join(bin, 'initdb'), '-D', data, '--no-sync', ...password]), { env, cwd: folder });
  const port = await freePort();
  const settings = ['-h', '127.0.0.1', '-p', String(port), '-k', folder, '-F'];
  const server = spawn(...command([join(bin, 'postgres'), '-D', data, ...settings]), {
    env,
    cwd: folder,
    stdio: 'ignore',
  });
  const endWithUs = (): void => void server.kill('SIGKILL');
  process.once('exit', endWithUs);
  const client = ['-h', '127.0.0.1', '-p', String(port), '-U', 'plone'];
  const asClient = { env: { ...env, PGPASSWORD: DATABASE_PASSWORD } };
  const psql = [...client, '--no-psqlrc', '--quiet', '--tuples-only', '--no-align', 'plone'];
  for (let attempt = 1; ; attempt += 1)
    try {
      await run(join(bin, 'createdb'), [...client, 'plone'], asClient);
      break;
    } catch (error) {
      if (attempt === 100 || server.exitCode !== null) throw error;
      await new Promise((resolve) => void setTimeout(resolve, 100));
    }
  return {
    port,
    dsn: (given = DATABASE_PASSWORD) => `host=127.0.0.1 port=${port} dbname=plone user=plone password='${given}'`,
    sql: async (statements) => (await run(join(bin, 'psql'), [...psql, '-c', statements], asClient)).stdout.trim(),
    session: () => spawn(join(bin, 'psql'), psql, { ...asClient, stdio: ['pipe', 'ignore', 'ignore'] }).stdin,
    stop: async () => {
      process.off('exit', endWithUs);
      const closed = once(server, 'close');
      server.kill('SIGINT');
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
