import { OciPloneError, systemCode } from '../errors.ts';

/** What the codes of node:net, node:tls, node:dns and undici mean, in words. */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'nothing listens there'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'the name server does not answer'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to its network'],
  ['ETIMEDOUT', 'it does not answer'],
  ['UND_ERR_CONNECT_TIMEOUT', 'it does not answer'],
  ['UND_ERR_HEADERS_TIMEOUT', 'it took the request and did not answer in time'],
  ['UND_ERR_BODY_TIMEOUT', 'it stopped in the middle of its answer'],
  ['ECONNRESET', 'it broke the connection'],
  ['EPIPE', 'it broke the connection'],
  ['UND_ERR_SOCKET', 'it broke the connection'],
  ['EPROTO', 'it does not speak TLS as this program does'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'it does not speak TLS'],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for another host'],
]);

const UNKNOWN_ISSUER: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Failures that the next attempt may not meet. A refused connection or an unknown name is the user's to look at. */
const PASSING: ReadonlySet<string> = new Set([
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
]);

/**
 * A connection that could not be made, or broke: NETWORK, with the host and the reason.
 *
 * @param plainHint - what the user can do where the server does not speak TLS
 */
export function networkError(
  url: URL,
  error: unknown,
  plainHint = 'If it speaks plain http, write its address with http://.',
): OciPloneError {
  const code = systemCode(error);
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  const reason = UNKNOWN_ISSUER.has(code) ? 'its certificate is not signed by anyone known here' : REASONS.get(code);
  return new OciPloneError('NETWORK', `${url.host}: ${reason === undefined ? message : `${reason} (${code})`}`, {
    hint: hintOf(code, url, plainHint),
    cause: error,
  });
}

/** Whether trying again may help. */
export function isPassing(error: OciPloneError): boolean {
  return error.code === 'NETWORK' && PASSING.has(systemCode(error.cause));
}

function hintOf(code: string, url: URL, plainHint: string): string {
  if (UNKNOWN_ISSUER.has(code))
    return 'Name the file of your own certificate authority in NODE_EXTRA_CA_CERTS or SSL_CERT_FILE.';
  switch (code) {
    case 'ECONNREFUSED':
      return `Check that a server runs there, and that ${url.port === '' ? `${url.protocol.slice(0, -1)}’s own port` : `port ${url.port}`} is right.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'Check the spelling of the host, and the name server of this machine.';
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return plainHint;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return 'Check the network, and HTTPS_PROXY where there is a proxy.';
    default:
      return '';
  }
}
