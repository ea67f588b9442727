import { OciPloneError } from '../errors.ts';
import type { HttpResponse } from '../http/get.ts';

/**
 * Passes the parts of a body on and counts them.
 *
 * @param expected - how many bytes there have to be, or null where only the answer's own Content-Length tells
 * @throws NETWORK for a body that is shorter than it should be, REGISTRY for one that is longer than `limit`
 */
export async function* readBody(
  response: HttpResponse,
  limit: number,
  expected: number | null = null,
): AsyncGenerator<Uint8Array> {
  const length = expected ?? declaredLength(response);
  let received = 0;
  for await (const part of response.body) {
    received += part.length;
    if (received > limit)
      throw new OciPloneError('REGISTRY', `${response.url}: the answer is longer than ${limit} bytes`);
    yield part;
  }
  if (length !== null && received < length)
    throw new OciPloneError('NETWORK', `${response.url}: expected ${length} bytes, got ${received}`, {
      hint: 'The download was cut off; try again.',
    });
}

/** The whole body. */
export async function collectBody(
  response: HttpResponse,
  limit: number,
  expected: number | null = null,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of readBody(response, limit, expected)) parts.push(part);
  return Buffer.concat(parts);
}

/** Content-Length counts bytes on the wire, which are others where a client undoes a Content-Encoding. */
function declaredLength({ headers }: HttpResponse): number | null {
  const length = headers['content-length'];
  return headers['content-encoding'] === undefined && /^\d+$/.test(length ?? '') ? Number(length) : null;
}
