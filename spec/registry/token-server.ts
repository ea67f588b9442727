import { execFile } from 'node:child_process';
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { listen } from '../support/fault-registry.ts';

const run = promisify(execFile);

export interface TokenServer {
  readonly realm: string;
  /** What docker-registry's `auth` setting is to trust this server. */
  readonly auth: object;
  /** Method, query, body and whether there was an Authorization header, of each request. */
  readonly requests: readonly TokenAsked[];
  stop(): Promise<void>;
}

export interface TokenAsked {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly authorization: string | null;
}

export interface TokenServerOptions {
  /** Which actions somebody gets; null refuses with 401. */
  readonly grant: (asked: TokenAsked) => readonly string[] | null;
  /** Seconds; a registry refuses an expired token. */
  readonly lifetime?: (asked: number) => number;
  readonly knowsPost?: boolean;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const SERVICE = 'registry of the specs';

/** A token server as distribution's docs/spec/auth/token.md describes it: it signs JWTs that a real registry checks. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-token-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=oci-plone spec', '-days', '2', '-keyout', key, '-out', certificate];
  await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject]);
  const privateKey = createPrivateKey(await readFile(key));
  const chain = (await readFile(certificate, 'utf8')).replace(/-----[^-]+-----|\s/g, '');
  const requests: TokenAsked[] = [];

  const jwt = (scope: string, actions: readonly string[], lifetime: number): string => {
    const now = Math.floor(Date.now() / 1000);
    const [type, name] = scope.split(':');
    const claims = {
      iss: 'spec',
      sub: 'plone',
      aud: SERVICE,
      // The registry allows a minute of skew.
      nbf: now - 600,
      iat: now - 600,
      exp: now + lifetime,
      jti: randomUUID(),
      access: [{ type, name, actions }],
    };
    const signed = [{ typ: 'JWT', alg: 'ES256', x5c: [chain] }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  };

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = askedOf(request, await read(request));
    requests.push(asked);
    const actions = options.grant(asked);
    const posted = asked.method === 'POST';
    if (posted && options.knowsPost === false) response.writeHead(404).end('404 page not found');
    else if (actions === null) response.writeHead(401, JSON_TYPE).end('{"details":"incorrect username or password"}');
    else {
      const scope = (posted ? asked.form : asked.query).get('scope') ?? '';
      const token = jwt(scope, actions, options.lifetime?.(requests.length) ?? 300);
      response
        .writeHead(200, JSON_TYPE)
        .end(JSON.stringify(posted ? { access_token: token } : { token, expires_in: 300 }));
    }
  };
  const server = createServer((request, response) => void respond(request, response).catch(() => response.destroy()));
  const realm = `http://${await listen(server)}/token?kept=%2Fas%20is`;
  return {
    realm,
    auth: { token: { realm, service: SERVICE, issuer: 'spec', rootcertbundle: certificate } },
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function askedOf(request: IncomingMessage, body: string): TokenAsked {
  return {
    method: request.method ?? '',
    query: new URL(request.url ?? '', 'http://token').searchParams,
    form: new URLSearchParams(body),
    authorization: request.headers.authorization ?? null,
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
