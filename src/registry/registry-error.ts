import { OciPloneError } from '../errors.ts';
import { askedWait } from '../http/retry-timing.ts';
import { type HttpAnswer, header } from './http.ts';

/** One entry of the error list that a registry sends (distribution specification, "Error Codes"). */
export interface RegistryMessage {
  readonly code: string;
  readonly message: string;
}

/** The cause of an error that an HTTP answer led to; retries look at it. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly status: number;
  /** Milliseconds that the registry asked to wait, or null. */
  readonly retryAfter: number | null;
  readonly codes: readonly string[];

  constructor(answer: HttpAnswer, codes: readonly string[]) {
    super(`HTTP ${answer.status}`);
    this.status = answer.status;
    this.retryAfter = askedWait(header(answer, 'retry-after'), header(answer, 'date'));
    this.codes = codes;
  }
}

/**
 * An answer that is not a success: AUTHENTICATION for 401 and 403, DIGEST_MISMATCH where the registry found other bytes
 * than the digest names, REGISTRY for all others. The sentence has the registry's own words in it.
 *
 * @param doing - what was tried, and where: `pushing blob sha256:… to example.org/plone`
 */
export function answerError(doing: string, answer: HttpAnswer, hint = ''): OciPloneError {
  const messages = parseMessages(answer.body);
  const codes = messages.map(({ code }) => code);
  const code = codeOf(answer.status, codes);
  const said = messages.length === 0 ? snippet(answer.body) : messages.map(sentence).join('; ');
  const text = `${doing}: ${answer.url.host} answered ${answer.status}${said === '' ? '' : `: ${said}`}`;
  return new OciPloneError(code, text, {
    hint: hint === '' ? hintOf(answer.status) : hint,
    cause: new HttpFailure(answer, codes),
  });
}

/** The registry's error list, or OAuth2's single error (RFC 6749, 5.2), or nothing where the body is something else. */
export function parseMessages(body: Uint8Array): readonly RegistryMessage[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return [];
  }
  if (!isFields(value)) return [];
  if (Array.isArray(value['errors'])) return value['errors'].slice(0, MAX_MESSAGES).flatMap(messageOf);
  const message = value['error_description'] ?? value['details'] ?? value['message'];
  return messageOf({ code: value['error'] ?? value['code'], message });
}

const MAX_MESSAGES = 5;
const MAX_SNIPPET = 300;

function messageOf(value: unknown): readonly RegistryMessage[] {
  if (!isFields(value)) return [];
  const code = typeof value['code'] === 'string' ? printable(value['code']) : '';
  const message = typeof value['message'] === 'string' ? printable(value['message']) : '';
  return code === '' && message === '' ? [] : [{ code, message }];
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sentence({ code, message }: RegistryMessage): string {
  return [code, message].filter((part) => part !== '').join(': ');
}

/** The begin of a body in another format, HTML for example, without its tags. */
function snippet(body: Uint8Array): string {
  const text = Buffer.from(body.subarray(0, MAX_SNIPPET * 8)).toString('utf8');
  return printable(text.replace(/<(style|script)\b[^]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' '));
}

/** Foreign text on one line, without what could steer a terminal. */
function printable(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length > MAX_SNIPPET ? `${line.slice(0, MAX_SNIPPET)}…` : line;
}

function codeOf(status: number, codes: readonly string[]): 'AUTHENTICATION' | 'DIGEST_MISMATCH' | 'REGISTRY' {
  if (status === 401 || status === 403) return 'AUTHENTICATION';
  // Debian's docker-registry says DIGEST_INVALID, too, for a blob that it does not find: then it is not about these bytes.
  return codes.length > 0 && codes.every((code) => code === 'DIGEST_INVALID') ? 'DIGEST_MISMATCH' : 'REGISTRY';
}

function hintOf(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'Check that this account may push to this repository.';
    case 404:
      return 'Check the name of the repository; some registries want it to be made first.';
    case 405:
      return 'The registry, or a proxy before it, does not take pushes here: check the host and the path.';
    case 413:
      return 'A proxy before the registry limits how much may be sent at once: raise its limit (nginx: client_max_body_size).';
    case 429:
      return 'The registry limits how often it may be asked: try again later.';
    default:
      return '';
  }
}
