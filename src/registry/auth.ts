import { OciPloneError } from '../errors.ts';
import type { Credentials } from './auth-file.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { resolveDestination } from './destination.ts';
import { type HttpAnswer, headerLines } from './http.ts';
import { type TokenRequest, basicAuthorization, fetchToken } from './token.ts';
import type { Transport } from './transport.ts';

export interface AuthenticatorOptions {
  readonly transport: Transport;
  /** Host and port as the user wrote them, for sentences. */
  readonly registry: string;
  readonly insecure: readonly string[];
  readonly signal: AbortSignal | undefined;
  /** Asked once for each repository, and only when the registry wants to know who asks. */
  readonly credentials: (repository: string) => Promise<Credentials | null>;
}

interface Bearer {
  readonly kind: 'bearer';
  readonly realm: URL;
  readonly service: string | null;
}

type Scheme = { readonly kind: 'basic' } | Bearer;

interface TimedToken {
  readonly value: string;
  /** By performance.now(): a wall clock may be set. */
  readonly until: number;
}

/** A token is fetched anew when it has less than this left, so that it does not expire on its way. */
const MARGIN = 15_000;

/** Makes Authorization headers for one registry: remembers its challenge, the credentials, and tokens until they expire. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #credentials = new Map<string, Promise<Credentials | null>>();
  /** By scope; a request that is on its way is shared. */
  readonly #tokens = new Map<string, Promise<TimedToken>>();
  #scheme: Scheme | null = null;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /** The header for a repository, or null as long as the registry has not asked for one. */
  async authorization(repository: string): Promise<string | null> {
    const scheme = this.#scheme;
    if (scheme === null) return null;
    const credentials = await this.#credentialsFor(repository);
    if (scheme.kind === 'bearer') return `Bearer ${await this.#token(scheme, repository, credentials)}`;
    if (credentials !== null) return basicAuthorization(credentials);
    throw new OciPloneError('AUTHENTICATION', `${this.#options.registry} wants a user name and a password`, {
      hint: await this.hint(repository),
    });
  }

  /**
   * Takes in the challenge of a 401. Some registries send a bare 401 later on: then the challenge before it stays.
   *
   * @param rejected - the header that was sent, whose token is not used again
   * @throws AUTHENTICATION where the registry asks for nothing that is known here, or for a token from a forbidden place
   */
  async learn(answer: Pick<HttpAnswer, 'headers' | 'url'>, rejected: string | null): Promise<void> {
    const challenges = parseChallenges(headerLines(answer, 'www-authenticate'));
    const scheme = this.#choose(challenges, answer.url);
    if (scheme === null && this.#scheme === null)
      throw new OciPloneError('AUTHENTICATION', `${this.#options.registry} asks for ${names(challenges)}`, {
        hint: 'Basic and Bearer are what this program can answer.',
      });
    this.#scheme = scheme ?? this.#scheme;
    if (rejected !== null) await this.#forget(rejected);
  }

  /** What the user can do about a 401 or 403. */
  async hint(repository: string): Promise<string> {
    const login = `docker login ${this.#options.registry}`;
    if (this.#scheme === null) return 'The registry refused without asking who it is: look at its settings.';
    return (await this.#credentialsFor(repository)) === null
      ? `No credentials for it were found: run ${login}, or skopeo login, or set REGISTRY_AUTH_FILE or DOCKER_AUTH_CONFIG.`
      : `Check that the credentials are right (${login}) and that this account may push there.`;
  }

  /** Bearer before Basic: a registry that offers both lets Basic in for its token server's sake. */
  #choose(challenges: readonly Challenge[], asked: URL): Scheme | null {
    for (const { scheme, parameters } of challenges) {
      const realm = parameters.get('realm');
      if (scheme !== 'bearer' || realm === undefined) continue;
      const url = resolveDestination('token realm', asked, realm, this.#options.insecure);
      return { kind: 'bearer', realm: url, service: parameters.get('service') ?? null };
    }
    return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : null;
  }

  #credentialsFor(repository: string): Promise<Credentials | null> {
    const known = this.#credentials.get(repository);
    if (known !== undefined) return known;
    const found = this.#options.credentials(repository);
    this.#credentials.set(repository, found);
    return found;
  }

  async #token(bearer: Bearer, repository: string, credentials: Credentials | null): Promise<string> {
    const scope = `repository:${repository}:pull,push`;
    const key = JSON.stringify([bearer.realm.href, bearer.service, scope]);
    const hint = await this.hint(repository);
    // No await from here to `set`, or two requests would fetch the same token.
    const known = this.#tokens.get(key);
    if (known !== undefined) {
      const token = await known;
      if (token.until > performance.now()) return token.value;
      if (this.#tokens.get(key) === known) this.#tokens.delete(key);
      return await this.#token(bearer, repository, credentials);
    }
    const { realm, service } = bearer;
    const fetched = this.#fetch({ realm, service, scope, credentials, hint });
    this.#tokens.set(key, fetched);
    try {
      return (await fetched).value;
    } catch (error) {
      this.#tokens.delete(key);
      throw error;
    }
  }

  async #fetch(wanted: TokenRequest): Promise<TimedToken> {
    const token = await fetchToken(this.#options.transport, wanted, this.#options.signal);
    return { value: token.value, until: performance.now() + token.lifetime - MARGIN };
  }

  /** Only the token that was rejected: another request may have fetched a new one since. */
  async #forget(rejected: string): Promise<void> {
    for (const [key, fetched] of this.#tokens) {
      const token = await fetched.catch(() => null);
      if (token !== null && `Bearer ${token.value}` === rejected && this.#tokens.get(key) === fetched)
        this.#tokens.delete(key);
    }
  }
}

function names(challenges: readonly Challenge[]): string {
  if (challenges.length === 0) return 'credentials without saying which';
  return challenges.map(({ scheme }) => JSON.stringify(scheme)).join(', ');
}
