import { OciPloneError } from '../errors.ts';
import { type Digest, isDigest } from './digest.ts';

/** A name in a registry: `[host[:port]/]path[:tag][@digest]`, as the distribution specification's grammar has it. */
export interface Reference {
  /** Host and port as the user wrote them, `docker.io` where none was given. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-fA-F:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const MAX_REPOSITORY_LENGTH = 255;
const MAX_PORT = 65_535;
/** Longer than every part at its longest, and short enough for any expression here. */
const MAX_LENGTH = 1024;

/** Reads a reference. Throws USAGE with the rule that was broken. */
export function parseReference(text: string): Reference {
  if (text.length > MAX_LENGTH) throw bad(`${text.slice(0, 40)}…`, `it is longer than ${MAX_LENGTH}`);
  const at = text.indexOf('@');
  const digest = at === -1 ? null : text.slice(at + 1);
  const named = at === -1 ? text : text.slice(0, at);
  if (digest !== null && !isDigest(digest)) throw bad(text, 'what follows "@" is not a sha256 or sha512 digest');

  const slash = named.indexOf('/');
  const first = slash === -1 ? '' : named.slice(0, slash);
  const hasDomain = isDomain(first);
  const registry = hasDomain ? canonicalRegistry(first) : 'docker.io';
  const rest = hasDomain ? named.slice(slash + 1) : named;
  if (hasDomain && !isHost(first)) throw bad(text, `"${first}" is not a host name`);

  const colon = rest.lastIndexOf(':');
  const tag = colon === -1 ? null : rest.slice(colon + 1);
  const path = colon === -1 ? rest : rest.slice(0, colon);
  if (tag !== null && !isTag(tag)) throw bad(text, `"${tag}" is not a tag`);
  if (/^[0-9a-f]{64}$/.test(path)) throw bad(text, 'a bare 64-digit name could be taken for a digest');
  if (!REPOSITORY.test(path))
    throw bad(text, `"${path}" is not a repository's name: lower-case letters, digits, . _ - /`);
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  if (repository.length > MAX_REPOSITORY_LENGTH) throw bad(text, `its path is longer than ${MAX_REPOSITORY_LENGTH}`);
  return { registry, repository, tag: tag ?? (digest === null ? 'latest' : null), digest };
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === null ? '' : `:${tag}`}${digest === null ? '' : `@${digest}`}`;
}

/** The first component is a host only if it cannot be part of a path: it is `localhost`, or has a dot, a colon or a capital. */
function isDomain(component: string): boolean {
  return component === 'localhost' || /[.:A-Z]/.test(component);
}

function isHost(domain: string): boolean {
  const port = /:([0-9]+)$/.exec(domain)?.[1];
  return DOMAIN.test(domain) && (port === undefined || (Number(port) > 0 && Number(port) <= MAX_PORT));
}

function canonicalRegistry(host: string): string {
  return host === 'index.docker.io' ? 'docker.io' : host;
}

function bad(text: string, why: string): OciPloneError {
  return new OciPloneError('USAGE', `${JSON.stringify(text)} is not a reference: ${why}`, {
    hint: 'Write HOST[:PORT]/NAME[:TAG], for example registry.example.org/plone:6.2.',
  });
}
