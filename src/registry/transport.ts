import { Readable } from 'node:stream';
import { throwIfAborted } from '../errors.ts';
import { Connections } from '../http/connections.ts';
import { isRedirect, MAX_HOPS, tooManyHops } from '../http/redirect.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { nextRequest } from './redirect.ts';

export interface TransportOptions {
  /** HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and NODE_EXTRA_CA_CERTS are taken from here. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly insecure: readonly string[];
  readonly userAgent?: string;
}

const MAX_ANSWER_BYTES = 64 * 1024;

/** HTTP requests over connections that are kept until `close`. It knows nothing of registries. */
export class Transport {
  readonly #insecure: readonly string[];
  readonly #connections: Connections;

  constructor({ env, insecure, userAgent }: TransportOptions) {
    this.#insecure = insecure;
    this.#connections = new Connections({
      env,
      ...(userAgent === undefined ? {} : { userAgent }),
      plainHint: ({ host }) => `If it speaks plain http, say so with --insecure-registry ${host}.`,
    });
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
      if (request.follow === false || !isRedirect(answer.status, current.method)) return answer;
      if (hop === MAX_HOPS) throw tooManyHops(request.url);
      current = nextRequest(current, answer, this.#insecure);
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #exchange(request: HttpRequest, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    throwIfAborted(signal);
    const { method, url, headers = {}, patience } = request;
    const body = request.body === undefined ? null : new Body(request.body);
    try {
      const sent = { method, url, headers, body: body?.stream ?? null, patience, signal };
      const answer = await this.#connections.exchange(sent);
      const kept = await readUpTo(request.maxAnswerBytes ?? MAX_ANSWER_BYTES, answer.body);
      return { status: answer.status, headers: answer.headers, url, ...kept };
    } catch (error) {
      throwIfAborted(signal);
      if (body?.failure !== undefined) throw body.failure;
      return this.#connections.fail(url, error, signal);
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
