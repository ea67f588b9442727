import { OciPloneError } from '../errors.ts';

/** A user name with a password, or with an identity token that a token server changes for access tokens. */
export interface Credentials {
  readonly kind: 'password' | 'identity token';
  readonly username: string;
  readonly secret: string;
}

/** What a docker config.json, or containers' auth.json, says about registries. */
export interface AuthFile {
  /** Where it was found, for sentences. */
  readonly place: string;
  /** Keys as they stand there: a host, a host and a path, or a URL. */
  readonly auths: ReadonlyMap<string, Fields>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads a credentials file. Throws INPUT_MALFORMED without a word of its content. */
export function parseAuthFile(text: string, place: string): AuthFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text around the error, which may be a secret.
    throw malformed(place, 'is not JSON');
  }
  if (!isFields(value)) throw malformed(place, 'is not a JSON object');
  const credsStore = value['credsStore'];
  return {
    place,
    auths: new Map(entriesOf(value, 'auths', place).flatMap(([key, entry]) => (isFields(entry) ? [[key, entry]] : []))),
    credHelpers: new Map(
      entriesOf(value, 'credHelpers', place).flatMap(([key, name]) => (typeof name === 'string' ? [[key, name]] : [])),
    ),
    credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : null,
  };
}

/**
 * The credentials of `auths` for a repository: the entry whose path is longest wins, hosts match exactly, port included.
 *
 * @param hosts - the names of the registry, each with its port
 * @returns null where there is no entry, or only empty ones, as Docker writes them beside a credsStore
 */
export function credentialsIn(file: AuthFile, hosts: readonly string[], repository: string): Credentials | null {
  const entries = [...file.auths].map(([key, entry]) => [normalizeKey(key), entry, key] as const);
  for (const candidate of candidates(hosts, repository))
    for (const [key, entry, written] of entries) {
      if (key !== candidate) continue;
      const found = credentialsOf(entry, `${file.place}, auths ${JSON.stringify(written)}`);
      if (found !== null) return found;
    }
  return null;
}

/** From `host/ns/image` over `host/ns` to `host`. */
function candidates(hosts: readonly string[], repository: string): readonly string[] {
  const parts = repository.split('/');
  const paths = parts.map((_, number) => `/${parts.slice(0, parts.length - number).join('/')}`);
  return [...paths, ''].flatMap((path) => hosts.map((host) => `${host}${path}`));
}

/** Docker's keys may be URLs, of which only the host counts; containers' keys may have a path. Hosts have no case. */
function normalizeKey(key: string): string {
  const url = /^https?:\/\/([^/]*)/i.exec(key);
  if (url !== null) return (url[1] ?? '').toLowerCase();
  const slash = key.indexOf('/');
  return slash === -1
    ? key.toLowerCase()
    : `${key.slice(0, slash).toLowerCase()}${key.slice(slash).replace(/\/+$/, '')}`;
}

function credentialsOf(entry: Fields, where: string): Credentials | null {
  const [username, password] = decoded(entry, where);
  const identityToken = entry['identitytoken'];
  if (typeof identityToken === 'string' && identityToken !== '')
    return { kind: 'identity token', username, secret: identityToken };
  return username === '' && password === '' ? null : { kind: 'password', username, secret: password };
}

/** `auth` is the base64 of `user:password`, where the password may have colons, and old tools leave a NUL at its end. */
function decoded(entry: Fields, where: string): readonly [string, string] {
  const { auth, username, password } = entry;
  if (typeof auth !== 'string' || auth === '')
    return [typeof username === 'string' ? username : '', typeof password === 'string' ? password : ''];
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = text.indexOf(':');
  if (colon === -1) throw malformed(where, '"auth" is not the base64 of user:password');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

function entriesOf(value: Fields, key: string, place: string): readonly (readonly [string, unknown])[] {
  const table = value[key];
  if (table === undefined || table === null) return [];
  if (!isFields(table)) throw malformed(place, `"${key}" is not an object`);
  return Object.entries(table);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(where: string, why: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${where}: ${why}`, {
    hint: 'Write it again with `docker login` or `skopeo login`.',
  });
}
