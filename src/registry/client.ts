import type { OciPloneError } from '../errors.ts';
import { Authenticator } from './auth.ts';
import { findCredentials } from './credentials.ts';
import type { HttpAnswer, HttpRequest } from './http.ts';
import { answerError } from './registry-error.ts';
import { registryOrigin } from './scheme.ts';
import type { Transport } from './transport.ts';

export interface ClientOptions {
  readonly transport: Transport;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly insecure: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** A request to one registry, on behalf of one repository; the Authorization header is added here. */
export interface RegistryRequest extends Omit<HttpRequest, 'url'> {
  /** A path of the API, such as `/v2/library/plone/blobs/uploads/`, or a URL that the registry gave for an upload. */
  readonly to: string | URL;
}

/** Speaks the distribution API to one registry: knows its origin and answers its challenges. */
export class RegistryClient {
  readonly #options: ClientOptions;
  readonly #origin: URL;
  readonly #auth: Authenticator;

  constructor(registry: string, options: ClientOptions) {
    const { transport, env, insecure, signal } = options;
    this.#options = options;
    this.#origin = registryOrigin(registry, insecure);
    this.#auth = new Authenticator({
      transport,
      registry,
      insecure,
      signal,
      credentials: (repository) => findCredentials(registry, repository, { env, signal }),
    });
  }

  get insecure(): readonly string[] {
    return this.#options.insecure;
  }

  /** Asks for the API's version ("Determining Support"), which brings the challenge before any blob is sent in vain. */
  async ping(signal?: AbortSignal): Promise<void> {
    const answer = await this.#options.transport.send({ method: 'GET', url: new URL('/v2/', this.#origin) }, signal);
    if (answer.status === 401) await this.#auth.learn(answer, null);
    else if (answer.status !== 200)
      throw answerError(
        'asking for the registry’s API',
        answer,
        answer.status === 404 ? 'Something else than a registry answers there: check the host and the port.' : '',
      );
  }

  /**
   * Sends a request. A 401 is answered once, with a new token or with the credentials; a second one is the caller's.
   * Nobody but the registry itself gets an Authorization header, and nobody else's challenge is answered.
   */
  async send(repository: string, request: RegistryRequest, signal?: AbortSignal): Promise<HttpAnswer> {
    const { to, ...rest } = request;
    const url = new URL(to, this.#origin);
    const mayAuthorize = url.origin === this.#origin.origin;
    const sent = mayAuthorize ? await this.#auth.authorization(repository) : null;
    const first = await this.#options.transport.send(authorized({ ...rest, url }, sent), signal);
    if (first.status !== 401 || first.url.origin !== this.#origin.origin || !mayAuthorize) return first;

    await this.#auth.learn(first, sent);
    const next = await this.#auth.authorization(repository);
    if (next === sent) return first;
    return await this.#options.transport.send(authorized({ ...rest, url }, next), signal);
  }

  /** The error for an answer that is not a success. */
  async failure(doing: string, answer: HttpAnswer, repository: string): Promise<OciPloneError> {
    const unauthorized = answer.status === 401 || answer.status === 403;
    return answerError(doing, answer, unauthorized ? await this.#auth.hint(repository) : '');
  }
}

function authorized(request: HttpRequest, authorization: string | null): HttpRequest {
  return authorization === null ? request : { ...request, headers: { ...request.headers, authorization } };
}
