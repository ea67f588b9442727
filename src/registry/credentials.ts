import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { OciPloneError, localError, systemCode } from '../errors.ts';
import { type AuthFile, type Credentials, credentialsIn, parseAuthFile } from './auth-file.ts';
import { type HelperOptions, askHelper } from './credential-helper.ts';

/** The names under which Docker Hub's credentials are kept; Docker's helpers know it by its old URL only. */
const HUB_HOSTS: readonly string[] = ['docker.io', 'index.docker.io'];
const HUB_SERVER = 'https://index.docker.io/v1/';

/**
 * Finds the credentials for a repository. The places, in this order, are: the file that REGISTRY_AUTH_FILE names; the
 * JSON in DOCKER_AUTH_CONFIG; containers' auth.json in $XDG_RUNTIME_DIR/containers (or /run/containers/UID), then in
 * $XDG_CONFIG_HOME/containers (or ~/.config/containers); config.json in $DOCKER_CONFIG (or ~/.docker). In each of them
 * `credHelpers` comes before `credsStore`, and that before `auths`. The first that knows the registry counts.
 *
 * @param registry - host and port as in the reference
 * @returns null where no place knows it
 * @throws INPUT_ABSENT where the file that REGISTRY_AUTH_FILE names is missing; INPUT_MALFORMED; AUTHENTICATION where a
 * helper fails; LOCAL_IO
 */
export async function findCredentials(
  registry: string,
  repository: string,
  options: HelperOptions,
): Promise<Credentials | null> {
  const host = registry.toLowerCase();
  const hosts = HUB_HOSTS.includes(host) ? HUB_HOSTS : [host];
  for await (const file of authFiles(options.env)) {
    const found = (await fromHelper(file, hosts, options)) ?? credentialsIn(file, hosts, repository);
    if (found !== null) return found;
  }
  return null;
}

async function* authFiles(env: HelperOptions['env']): AsyncGenerator<AuthFile> {
  const explicit = env['REGISTRY_AUTH_FILE'] ?? '';
  if (explicit !== '') {
    const file = await readAuthFile(explicit, ABSENT);
    if (file === null)
      throw new OciPloneError('INPUT_ABSENT', `${explicit}, which REGISTRY_AUTH_FILE names, is not there`);
    yield file;
  }
  const inline = env['DOCKER_AUTH_CONFIG'] ?? '';
  if (inline !== '') yield parseAuthFile(inline, 'DOCKER_AUTH_CONFIG');
  for (const path of defaultPaths(env)) {
    const file = await readAuthFile(path, ABSENT_OR_HIDDEN);
    if (file !== null) yield file;
  }
}

function defaultPaths(env: HelperOptions['env']): readonly string[] {
  // A variable that is empty counts as one that is not set (XDG base directory specification), and so do Docker's.
  const set = (name: string): string | undefined => env[name] || undefined;
  const home = set('HOME');
  const inHome = (folder: string): string | undefined => (home === undefined ? undefined : join(home, folder));
  const runtime = set('XDG_RUNTIME_DIR');
  const config = set('XDG_CONFIG_HOME') ?? inHome('.config');
  const docker = set('DOCKER_CONFIG') ?? inHome('.docker');
  return [
    join(runtime === undefined ? `/run/containers/${userInfo().uid}` : join(runtime, 'containers'), 'auth.json'),
    ...(config === undefined ? [] : [join(config, 'containers', 'auth.json')]),
    ...(docker === undefined ? [] : [join(docker, 'config.json')]),
  ];
}

const ABSENT: readonly string[] = ['ENOENT', 'ENOTDIR'];
/** A default place that is closed to this user was not meant for it. */
const ABSENT_OR_HIDDEN: readonly string[] = [...ABSENT, 'EACCES'];

/** Null where there is no such file, by these codes. */
async function readAuthFile(path: string, codes: readonly string[]): Promise<AuthFile | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codes.includes(systemCode(error))) return null;
    throw localError(`reading credentials from ${path}`, error);
  }
  return text.trim() === '' ? null : parseAuthFile(text, path);
}

async function fromHelper(
  file: AuthFile,
  hosts: readonly string[],
  options: HelperOptions,
): Promise<Credentials | null> {
  const named = [...file.credHelpers].find(([key]) => hosts.includes(key.toLowerCase()));
  const helper = named?.[1] ?? file.credsStore;
  if (helper === null || helper === undefined) return null;
  const answer = await askHelper(helper, hosts === HUB_HOSTS ? HUB_SERVER : (hosts[0] ?? ''), options);
  if (answer === null) return null;
  const kind = answer.username === '<token>' ? 'identity token' : 'password';
  return { kind, username: answer.username, secret: answer.secret };
}
