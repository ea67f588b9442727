import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type ServerOptions, createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { listen } from '../support/fault-registry.ts';

const run = promisify(execFile);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on loopback until the test ends. Gives its address, without a slash at its end. */
export async function serve(t: TestContext, handler: Handler): Promise<string> {
  const server = createServer(handler);
  t.after(() => server.close());
  return `http://${await listen(server)}`;
}

/** The same over TLS. */
export async function serveTls(t: TestContext, options: ServerOptions, handler: Handler): Promise<string> {
  const server = createTlsServer(options, handler);
  t.after(() => server.close());
  return `https://${await listen(server)}`;
}

export interface Certificate {
  readonly key: Buffer;
  readonly cert: Buffer;
  readonly certFile: string;
  /** Both in one file. */
  readonly bothFile: string;
}

/** A certificate of its own making for 127.0.0.1. */
export async function certificate(t: TestContext): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-spec-'));
  t.after(() => rm(folder, { recursive: true }));
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  const bothFile = join(folder, 'both.pem');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...subject]);
  const [key, cert] = await Promise.all([readFile(keyFile), readFile(certFile)]);
  await writeFile(bothFile, Buffer.concat([key, cert]));
  return { key, cert, certFile, bothFile };
}
