import { OciPloneError } from '../errors.ts';
import type { Credentials } from './auth-file.ts';
import { appendQuery } from './destination.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { answerError } from './registry-error.ts';
import type { Transport } from './transport.ts';

/** Where access tokens come from, for what they are asked, and by whom. */
export interface TokenRequest {
  /** Already checked by `resolveDestination`. */
  readonly realm: URL;
  readonly service: string | null;
  /** `repository:NAME:pull,push` */
  readonly scope: string;
  readonly credentials: Credentials | null;
  /** What the user can do where the server refuses. */
  readonly hint: string;
}

export interface AccessToken {
  readonly value: string;
  /** Milliseconds. */
  readonly lifetime: number;
}

const CLIENT_ID = 'oci-plone';
const MAX_ANSWER_BYTES = 1024 * 1024;
const LEAST_LIFETIME = 60_000;

/**
 * Asks a token server for an access token (distribution's docs/spec/auth/token.md and oauth.md): by POST with an identity
 * token, by GET with Basic otherwise, anonymously where there are no credentials. Redirects are not followed, since the
 * credentials were meant for the realm.
 *
 * @throws AUTHENTICATION where the server does not give one, REGISTRY where it does not answer as a token server
 */
export async function fetchToken(
  transport: Transport,
  wanted: TokenRequest,
  signal: AbortSignal | undefined,
): Promise<AccessToken> {
  if (wanted.credentials?.kind === 'identity token') {
    const answer = await transport.send(byPost(wanted, wanted.credentials), signal);
    // Older servers know GET only, and take the identity token for a password there.
    if (answer.status !== 404 && answer.status !== 405) return tokenOf(answer, wanted.hint);
  }
  return tokenOf(await transport.send(byGet(wanted), signal), wanted.hint);
}

/** The value of an Authorization header for HTTP Basic (RFC 7617), in UTF-8. */
export function basicAuthorization({ username, secret }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${secret}`, 'utf8').toString('base64')}`;
}

function byGet({ realm, service, scope, credentials }: TokenRequest): HttpRequest {
  const account = credentials?.kind === 'password' ? credentials.username : '';
  const url = appendQuery(realm, [
    ...(service === null ? [] : [['service', service] as const]),
    ['scope', scope],
    ...(account === '' ? [] : [['account', account] as const]),
  ]);
  const headers: Record<string, string> =
    credentials === null ? {} : { authorization: basicAuthorization(credentials) };
  return { method: 'GET', url, headers, maxAnswerBytes: MAX_ANSWER_BYTES, follow: false };
}

function byPost({ realm, service, scope }: TokenRequest, credentials: Credentials): HttpRequest {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: CLIENT_ID, scope });
  if (service !== null) form.set('service', service);
  form.set('refresh_token', credentials.secret);
  const bytes = Buffer.from(form.toString());
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(bytes.length) },
    body: async function* () {
      yield bytes;
    },
    maxAnswerBytes: MAX_ANSWER_BYTES,
    follow: false,
  };
}

function tokenOf(answer: HttpAnswer, hint: string): AccessToken {
  const doing = 'asking for an access token';
  if (answer.status !== 200) {
    const error = answerError(doing, answer, hint);
    // A token server says 400 `invalid_grant` for an identity token that it does not take (RFC 6749, 5.2).
    if (answer.status !== 400) throw error;
    throw new OciPloneError('AUTHENTICATION', error.message, { hint: error.hint, cause: error.cause });
  }
  const fields = answer.truncated ? null : objectOf(answer.body);
  const value = fields?.['token'] ?? fields?.['access_token'];
  // What becomes a header must be one: visible ASCII without spaces (RFC 6750, 2.1).
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new OciPloneError('REGISTRY', `${doing}: ${answer.url.host} answered 200 without a token`);
  const seconds = fields?.['expires_in'];
  const lifetime = typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : 0;
  return { value, lifetime: Math.max(LEAST_LIFETIME, lifetime) };
}

function objectOf(body: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
