import { type IncomingMessage, type ServerResponse, createServer, request as forward } from 'node:http';
import { listen } from '../support/fault-registry.ts';

/** What a push said and was told, as far as it should be the same at every registry. */
export interface Line {
  readonly request: string;
  readonly contentType: string | null;
  readonly contentLength: string | null;
  readonly status: number;
  /** The query's keys of the Location header, sorted, or null where there was none. */
  readonly location: readonly string[] | null;
  readonly digest: string | null;
}

export interface Recorder {
  readonly host: string;
  readonly lines: readonly Line[];
  stop(): Promise<void>;
}

/** Stands before a registry on 127.0.0.1 and writes down what goes through. */
export async function startRecorder(upstream: string): Promise<Recorder> {
  const lines: Line[] = [];
  const server = createServer((request, response) => pass(request, response, upstream, lines));
  return {
    host: await listen(server),
    lines,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(request: IncomingMessage, response: ServerResponse, upstream: string, lines: Line[]): void {
  const { method, url: path = '', headers } = request;
  const [hostname, port] = upstream.split(':');
  // The Host header stays, so that the registry's Locations lead here again.
  const outgoing = forward({ hostname, port, method, path, headers, agent: false }, (answer) => {
    lines.push(lineOf(request, answer));
    response.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  request.pipe(outgoing);
}

function lineOf(request: IncomingMessage, answer: IncomingMessage): Line {
  const url = new URL(request.url ?? '', 'http://registry');
  const query = [...url.searchParams.keys()].sort();
  const path = url.pathname.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, 'UUID');
  const { location } = answer.headers;
  const digest = answer.headers['docker-content-digest'];
  return {
    request: `${request.method} ${path}${query.length === 0 ? '' : `?${query.join('&')}`}`,
    contentType: request.headers['content-type'] ?? null,
    contentLength: request.headers['content-length'] ?? null,
    status: answer.statusCode ?? 0,
    // Where a blob or manifest now is does not matter to a push.
    location: location !== undefined && answer.statusCode === 202 ? [...new URL(location).searchParams.keys()] : null,
    digest: typeof digest === 'string' ? digest : null,
  };
}
