export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body afresh each time it is called, so that a redirect or a retry can send it again. */
  readonly body?: () => AsyncIterable<Uint8Array>;
  /** How long, in milliseconds, the answer may take after the request was sent; a minute where nothing is said. */
  readonly patience?: number;
  /** The most bytes of the answer's body that are kept; the rest is not read. 64 KiB where nothing is said. */
  readonly maxAnswerBytes?: number;
  /** Whether to go where a redirect leads. A token server's is never followed. */
  readonly follow?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The URL that answered in the end, after redirects. */
  readonly url: URL;
  readonly body: Uint8Array;
  /** Whether the body was longer than what was asked for. */
  readonly truncated: boolean;
}

/** All lines of a header, in their order; none where it was not sent. */
export function headerLines(answer: Pick<HttpAnswer, 'headers'>, name: string): readonly string[] {
  const value = answer.headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/** The first line of a header, or null. */
export function header(answer: Pick<HttpAnswer, 'headers'>, name: string): string | null {
  return headerLines(answer, name)[0] ?? null;
}
