import { OciPloneError } from '../errors.ts';
import { headersFor } from '../http/redirect.ts';
import { resolveDestination } from './destination.ts';
import { type HttpAnswer, type HttpRequest, header } from './http.ts';

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
  return { ...request, url, headers: headersFor(request.url, url, request.headers ?? {}) };
}
