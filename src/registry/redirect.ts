import { OciPloneError } from '../errors.ts';
import { resolveDestination } from './destination.ts';
import { type HttpAnswer, type HttpRequest, header } from './http.ts';

/**
 * Whether an answer is a redirect that may be followed with the same method. 301, 302 and 303 turn other methods into
 * GET (RFC 9110, 15.4), which would make a failed upload look like a success: those are left to the caller as answers.
 */
export function isRedirect(answer: Pick<HttpAnswer, 'status'>, method: HttpRequest['method']): boolean {
  if (answer.status === 307 || answer.status === 308) return true;
  const reads = method === 'GET' || method === 'HEAD';
  return reads && (answer.status === 301 || answer.status === 302 || answer.status === 303);
}

/** The same request to where the answer leads. Authorization stays with the scheme, host and port it was meant for. */
export function nextRequest(
  request: HttpRequest,
  answer: Pick<HttpAnswer, 'headers'>,
  insecure: readonly string[],
): HttpRequest {
  const location = header(answer, 'location');
  if (location === null)
    throw new OciPloneError('REGISTRY', `${request.url.host}: a redirect without a Location header`);
  const url = resolveDestination('redirect', request.url, location, insecure);
  if (url.origin === request.url.origin) return { ...request, url };
  const { authorization: _, ...headers } = request.headers ?? {};
  return { ...request, url, headers };
}
