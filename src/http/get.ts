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

/** What is read of a body that nobody wants: its connection can then be used again. */
const SMALL = 64 * 1024;

/** Leaves a body unread: a small one is read to its end, the connection of a longer one is closed. */
export async function discard(body: AsyncIterable<Uint8Array>): Promise<void> {
  let size = 0;
  try {
    for await (const part of body) if ((size += part.length) > SMALL) break;
  } catch {
    // Whatever ails it: nobody wanted it.
  }
}
