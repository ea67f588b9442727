import { execFile } from 'node:child_process';
import { OciPloneError, systemCode, throwIfAborted } from '../errors.ts';

/** What a credential helper printed: a user name and a secret, which is an identity token if the name is `<token>`. */
export interface HelperAnswer {
  readonly username: string;
  readonly secret: string;
}

export interface HelperOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const NOT_FOUND = 'credentials not found in native keychain';

/**
 * Asks `docker-credential-NAME get` for the credentials of a registry, by the protocol of docker-credential-helpers: the
 * server's name on stdin, JSON on stdout, and messages on stdout, too, with an exit code that is not 0. Nothing that the
 * helper printed is repeated in an error: it may hold the secret.
 *
 * @returns null where the helper knows none
 * @throws AUTHENTICATION where the helper is missing, fails, hangs or prints something else; ABORTED
 */
export async function askHelper(name: string, server: string, options: HelperOptions): Promise<HelperAnswer | null> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw failure(name, 'is not a name of a helper');
  const { error, stdout } = await run(`docker-credential-${name}`, server, options);
  throwIfAborted(options.signal);
  if (error !== null) {
    if (stdout.trim() === NOT_FOUND) return null;
    throw failure(name, reasonOf(error));
  }
  return parseAnswer(name, stdout);
}

function run(program: string, input: string, options: HelperOptions): Promise<{ error: Error | null; stdout: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      ['get'],
      {
        env: { ...options.env },
        encoding: 'utf8',
        timeout: TIMEOUT,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (error, stdout) => resolve({ error, stdout }),
    );
    // A helper that ends without reading its input closes the pipe; its exit code says the rest.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function parseAnswer(name: string, stdout: string): HelperAnswer | null {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch {
    throw failure(name, 'did not print JSON');
  }
  if (typeof value !== 'object' || value === null) throw failure(name, 'did not print an object');
  const username: unknown = 'Username' in value ? value.Username : '';
  const secret: unknown = 'Secret' in value ? value.Secret : '';
  if (typeof username !== 'string' || typeof secret !== 'string') throw failure(name, 'printed no Username and Secret');
  return username === '' && secret === '' ? null : { username, secret };
}

function reasonOf(error: Error): string {
  const code = systemCode(error);
  if (code === 'ENOENT') return 'is not installed';
  if (code !== '') return `failed (${code})`;
  if ('killed' in error && error.killed === true) return `did not answer in ${TIMEOUT / 1000} s`;
  return 'code' in error && typeof error.code === 'number' ? `failed with exit code ${error.code}` : 'failed';
}

function failure(name: string, why: string): OciPloneError {
  return new OciPloneError('AUTHENTICATION', `the credential helper docker-credential-${name} ${why}`, {
    hint: 'Install it, or take it out of credsStore and credHelpers in the docker config.json.',
  });
}
