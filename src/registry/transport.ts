import { Readable } from 'node:stream';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as exchange } from 'undici';
import { OciPloneError, throwIfAborted } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { networkError } from './network-error.ts';
import { isRedirect, nextRequest } from './redirect.ts';
import { isLoopback } from './scheme.ts';

export interface TransportOptions {
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY are taken from here. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly insecure: readonly string[];
  readonly userAgent?: string;
}

const CONNECT_TIMEOUT = 30_000;
const PATIENCE = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_HOPS = 5;

/** HTTP requests over connections that are kept until `close`. It knows nothing of registries. */
export class Transport {
  readonly #options: TransportOptions;
  readonly #direct: Agent;
  readonly #proxied: Dispatcher;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#direct = new Agent(AGENT_OPTIONS);
    this.#proxied = proxyAgent(options.env);
  }

  /**
   * Sends a request and reads its answer, whatever its status. Redirects are followed by hand, see `redirect.ts`.
   *
   * @throws NETWORK where there is no answer, ABORTED, REGISTRY for a redirect that is refused, or what the body threw
   */
  async send(request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    let current = request;
    for (let hop = 0; ; hop += 1) {
      const answer = await this.#exchange(current, signal);
      if (request.follow === false || !isRedirect(answer, current.method)) return answer;
      if (hop === MAX_HOPS)
        throw new OciPloneError('REGISTRY', `${request.url.host}: more than ${MAX_HOPS} redirects in a row`);
      current = nextRequest(current, answer, this.#options.insecure);
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await Promise.all([this.#direct.destroy(), this.#proxied.destroy()]);
  }

  async #exchange(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    throwIfAborted(signal);
    const body = request.body === undefined ? null : new Body(request.body);
    try {
      const answer = await exchange(request.url, {
        method: request.method,
        headers: { 'user-agent': this.#options.userAgent ?? 'oci-plone', ...request.headers },
        body: body?.stream ?? null,
        dispatcher: isLoopback(request.url.hostname) ? this.#direct : this.#proxied,
        headersTimeout: request.patience ?? PATIENCE,
        bodyTimeout: PATIENCE,
        ...(signal === undefined ? {} : { signal }),
      });
      const kept = await readUpTo(request.maxAnswerBytes ?? MAX_ANSWER_BYTES, answer.body);
      return { status: answer.statusCode, headers: answer.headers, url: request.url, ...kept };
    } catch (error) {
      throwIfAborted(signal);
      if (body?.failure !== undefined) throw body.failure;
      throw networkError(request.url, error);
    } finally {
      body?.stream.destroy();
    }
  }
}

/** A request's body as the stream that undici wants, which remembers why it ended early. */
class Body {
  readonly stream: Readable;
  failure: Error | undefined;

  constructor(open: () => AsyncIterable<Uint8Array>) {
    this.stream = Readable.from(this.#bytes(open), { objectMode: false });
    // A registry may answer before it has read everything; what the stream says after that is of no interest.
    this.stream.on('error', () => undefined);
  }

  async *#bytes(open: () => AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* open();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}

async function readUpTo(most: number, body: Readable): Promise<Pick<HttpAnswer, 'body' | 'truncated'>> {
  body.on('error', () => undefined);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    // Leaving the loop closes the connection: reading on could take for ever.
    if (size > most) break;
  }
  return { body: Buffer.concat(chunks).subarray(0, most), truncated: size > most };
}

const AGENT_OPTIONS = { connect: { timeout: CONNECT_TIMEOUT } } as const;

/** Every setting is given, even where it is empty: undici would ask process.env for one that is not. */
function proxyAgent(env: TransportOptions['env']): Dispatcher {
  const httpProxy = env['http_proxy'] ?? env['HTTP_PROXY'] ?? '';
  const httpsProxy = env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '';
  const noProxy = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  for (const [name, value] of Object.entries({ HTTP_PROXY: httpProxy, HTTPS_PROXY: httpsProxy }))
    // The value itself may hold a password, and is not repeated.
    if (value !== '' && !(URL.canParse(value) && /^https?:\/\//i.test(value)))
      throw new OciPloneError('USAGE', `${name} expected a URL that begins with http:// or https://`);
  return new EnvHttpProxyAgent({ ...AGENT_OPTIONS, httpProxy, httpsProxy, noProxy });
}
