import { BlockList, isIP } from 'node:net';
import { OciPloneError } from '../errors.ts';
import { bareHost, isInsecure, isLoopback } from './scheme.ts';

/** The three places where a registry's answer tells this program where to go next. */
export type DirectionKind = 'redirect' | 'upload location' | 'token realm';

/** Link-local addresses (where clouds keep their metadata services) and "this host". */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addAddress('::', 'ipv6');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addAddress('fd00:ec2::254', 'ipv6');
const METADATA_NAMES: ReadonlySet<string> = new Set(['metadata.google.internal', 'instance-data']);

/**
 * Resolves a URL that a registry sent (Location, realm), which may be relative to the one that was asked, and refuses
 * where a hostile or misconfigured registry must not lead: out of https, to this machine or its cloud's metadata
 * service from elsewhere, to another protocol. A registry may always name its own scheme, host and port. The query is
 * kept as it was sent.
 *
 * @throws AUTHENTICATION for a token's realm, REGISTRY for the other two
 */
export function resolveDestination(kind: DirectionKind, from: URL, target: string, insecure: readonly string[]): URL {
  const to = URL.canParse(target, from.href) ? new URL(target, from) : null;
  if (to === null) throw refusal(kind, from, 'is not a URL');
  if (to.username !== '' || to.password !== '') throw refusal(kind, from, 'has a user name in it');
  if (to.protocol !== 'https:' && to.protocol !== 'http:') throw refusal(kind, from, `speaks ${to.protocol}`);
  if (to.origin === from.origin) return to;

  const named = isInsecure(to.host, insecure);
  if (to.protocol === 'http:') {
    if (from.protocol === 'https:' && !(kind === 'token realm' && named))
      throw refusal(kind, from, `is plain http (http://${to.host})`, PROXY_HINT);
    if (!named && !isLoopback(to.hostname))
      throw refusal(kind, from, `is plain http (http://${to.host})`, `Allow it with --insecure-registry ${to.host}.`);
  }
  if (!named && isForbidden(to.hostname, from.hostname))
    throw refusal(kind, from, `leads to ${to.host}, where a registry has no business`);
  return to;
}

const PROXY_HINT =
  'The registry seems to stand behind a TLS proxy that it does not know of: let the proxy send X-Forwarded-Proto, or set the registry’s external URL.';

function isForbidden(hostname: string, from: string): boolean {
  if (isLoopback(hostname)) return !isLoopback(from);
  const name = bareHost(hostname);
  if (METADATA_NAMES.has(name)) return true;
  const version = isIP(name);
  return version !== 0 && NEVER.check(name, version === 6 ? 'ipv6' : 'ipv4');
}

function refusal(kind: DirectionKind, from: URL, why: string, hint = ''): OciPloneError {
  return new OciPloneError(
    kind === 'token realm' ? 'AUTHENTICATION' : 'REGISTRY',
    `${from.host}: the ${kind} that the registry sent ${why}; nothing was sent there`,
    { hint },
  );
}

/** Adds to a URL's query without writing the rest of it anew: upload states are signed byte for byte. */
export function appendQuery(url: URL, pairs: readonly (readonly [string, string])[]): URL {
  const added = pairs.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  const longer = new URL(url);
  if (added !== '') longer.search = url.search === '' ? added : `${url.search}&${added}`;
  return longer;
}
