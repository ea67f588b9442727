/** An answer whose body has not been read yet. */
export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Where the answer came from, after redirects. */
  readonly url: string;
  /** To be read to its end, or returned from early. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Gets a URL, following redirects. Credentials in the URL are sent to its own origin only. Any status is an answer; what
 * fails before one is NETWORK.
 */
export type HttpGet = (
  url: string,
  options?: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined },
) => Promise<HttpResponse>;
