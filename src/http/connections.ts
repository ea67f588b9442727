import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as exchange } from 'undici';
import { OciPloneError, throwIfAborted } from '../errors.ts';
import { type CertificateOptions, secureContext } from './certificates.ts';
import { isLoopback } from './host.ts';
import { networkError } from './network-error.ts';

export interface ConnectionOptions extends CertificateOptions {
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY are taken from here, too. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A proxy for http and https in place of those of `env`, as pip's `proxy`. */
  readonly proxy?: string | null;
  /** Hosts, with or without a port, whose certificates are not looked at, as pip's `trusted-host`. */
  readonly trustedHosts?: readonly string[];
  /** How long, in milliseconds, a connection and each part of an answer may take; half a minute and a minute by default. */
  readonly timeout?: number | null;
  readonly userAgent?: string;
  /** What the user can do where a server does not speak TLS. */
  readonly plainHint?: (url: URL) => string;
}

/** A request as it goes over the wire, without redirects. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable | null;
  /** How long, in milliseconds, the answer may take after the request was sent. */
  readonly patience?: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose body was not read. */
export interface Exchanged {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Readable;
}

const CONNECT_TIMEOUT = 30_000;
const PATIENCE = 60_000;

interface Route {
  readonly direct: Dispatcher;
  readonly proxied: Dispatcher;
}

/** HTTP over connections that are kept until `close`. The only place that knows undici. */
export class Connections {
  readonly #options: ConnectionOptions;
  readonly #checked: Route;
  readonly #unchecked: Route | null;

  /** @throws USAGE for a proxy that is none; INPUT_ABSENT, INPUT_MALFORMED, LOCAL_IO for certificates */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    const context = secureContext(options);
    const connect = {
      timeout: options.timeout ?? CONNECT_TIMEOUT,
      ...(context === undefined ? {} : { secureContext: context }),
    };
    this.#checked = routeOf(connect, connect, options);
    this.#unchecked =
      (options.trustedHosts ?? []).length === 0
        ? null
        : routeOf({ ...connect, rejectUnauthorized: false }, connect, options);
  }

  /** @throws NETWORK where there is no answer, ABORTED */
  async exchange({ method, url, headers, body, patience, signal }: Exchange): Promise<Exchanged> {
    throwIfAborted(signal);
    const { timeout, userAgent } = this.#options;
    try {
      const answer = await exchange(url, {
        method,
        headers: { 'user-agent': userAgent ?? 'oci-plone', ...headers },
        body: body ?? null,
        dispatcher: this.#dispatcher(url),
        headersTimeout: patience ?? timeout ?? PATIENCE,
        bodyTimeout: timeout ?? PATIENCE,
        // One of its own: many requests at once on the caller's would look like a leak to Node.
        ...(signal === undefined ? {} : { signal: AbortSignal.any([signal]) }),
      });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (error) {
      return this.fail(url, error, signal);
    }
  }

  /** Throws what a failure means that was met while an answer was waited for, or its body read: ABORTED or NETWORK. */
  fail(url: URL, error: unknown, signal: AbortSignal | undefined): never {
    throwIfAborted(signal);
    throw error instanceof OciPloneError ? error : networkError(url, error, this.#options.plainHint?.(url));
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    const routes = [this.#checked, this.#unchecked].filter((route) => route !== null);
    await Promise.all(routes.flatMap(({ direct, proxied }) => [direct.destroy(), proxied.destroy()]));
  }

  #dispatcher(url: URL): Dispatcher {
    const trusted = (this.#options.trustedHosts ?? []).some((entry) => names(entry, url));
    const route = (trusted ? this.#unchecked : null) ?? this.#checked;
    return isLoopback(url.hostname) ? route.direct : route.proxied;
  }
}

/** pip: a host without a port stands for all of its ports. */
function names(entry: string, url: URL): boolean {
  const host = entry.toLowerCase();
  return host === url.hostname || host === `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`;
}

type Connect = NonNullable<Exclude<Agent.Options['connect'], (...parameters: never[]) => unknown>>;

/** Every setting is given, even where it is empty: undici would ask process.env for one that is not. */
function routeOf(connect: Connect, toProxy: Connect, { env, proxy }: ConnectionOptions): Route {
  const httpProxy = proxyUrl('HTTP_PROXY', env['http_proxy'] ?? env['HTTP_PROXY'], proxy);
  const httpsProxy = proxyUrl('HTTPS_PROXY', env['https_proxy'] ?? env['HTTPS_PROXY'], proxy);
  const noProxy = env['no_proxy'] ?? env['NO_PROXY'] ?? '';
  return {
    direct: new Agent({ connect }),
    proxied: new EnvHttpProxyAgent({
      connect,
      requestTls: connect,
      proxyTls: toProxy,
      httpProxy,
      httpsProxy,
      noProxy,
    }),
  };
}

function proxyUrl(variable: string, fromEnv: string | undefined, proxy: string | null | undefined): string {
  const url = proxy ?? fromEnv ?? '';
  if (url === '' || (URL.canParse(url) && /^https?:\/\//i.test(url))) return url;
  // The value itself may hold a password, and is not repeated.
  const name = proxy === null || proxy === undefined ? variable : '"proxy"';
  throw new OciPloneError('USAGE', `${name} expected a URL that begins with http:// or https://`);
}
