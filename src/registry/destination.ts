import { OciPloneError } from '../errors.ts';
import { isForbidden, isLoopback } from '../http/host.ts';
import { isInsecure } from './scheme.ts';

/** The three places where a registry's answer tells this program where to go next. */
export type DirectionKind = 'redirect' | 'upload location' | 'token realm';

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
