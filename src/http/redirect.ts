import { OciPloneError } from '../errors.ts';
import { isForbidden } from './host.ts';

/** How many redirects in a row are followed. */
export const MAX_HOPS = 5;

/**
 * Whether an answer is a redirect that may be followed with the same method. 301, 302 and 303 turn other methods into
 * GET (RFC 9110, 15.4), which would make a failed upload look like a success: those are left to the caller as answers.
 */
export function isRedirect(status: number, method: string): boolean {
  if (status === 307 || status === 308) return true;
  const reads = method === 'GET' || method === 'HEAD';
  return reads && (status === 301 || status === 302 || status === 303);
}

/** The headers for where a redirect leads: Authorization stays with the scheme, host and port it was meant for. */
export function headersFor(
  from: URL,
  to: URL,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (to.origin === from.origin) return headers;
  const { authorization: _, ...rest } = headers;
  return rest;
}

/**
 * Where a redirect of a page or a file leads. Never out of https, to this machine or its cloud's metadata service from
 * elsewhere, to another protocol. A user and a password in it are dropped: nobody here gave them.
 *
 * @throws REGISTRY
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const to = location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (to === null) throw refusal(from, 'names no URL');
  if (to.protocol !== 'https:' && to.protocol !== 'http:') throw refusal(from, `leads to ${to.protocol}`);
  if (from.protocol === 'https:' && to.protocol === 'http:') throw refusal(from, `is plain http (http://${to.host})`);
  if (to.origin !== from.origin && isForbidden(to.hostname, from.hostname))
    throw refusal(from, `leads to ${to.host}, where it has no business`);
  to.username = '';
  to.password = '';
  return to;
}

/** The error for who is sent on and on. */
export function tooManyHops(url: URL): OciPloneError {
  return new OciPloneError('REGISTRY', `${url.host}: more than ${MAX_HOPS} redirects in a row`);
}

function refusal(from: URL, why: string): OciPloneError {
  return new OciPloneError('REGISTRY', `${from.host}: the redirect that it sent ${why}; it is not followed`);
}
