import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { HttpGet } from '../../src/http/get.ts';
import { readBuildout } from '../../src/buildout/read.ts';
import type { Buildout, ReadOptions, Target } from '../../src/buildout/read.ts';

export const TARGET: Target = { pythonVersion: '3.11.2', sysPlatform: 'linux', bits: 64, implementation: 'CPython' };

/** Enough of PEP 508 for these tests: `python_version < "3"`, by string. */
export function tinyMarker(text: string): boolean | null {
  const match = /^\s*(python_version|sys_platform)\s*(<|>=|==)\s*"([^"]*)"\s*$/.exec(text);
  if (match === null) return null;
  const [, name, operator, right = ''] = match;
  const left = name === 'sys_platform' ? 'linux' : '3.11';
  if (operator === '==') return left === right;
  return operator === '<' ? left < right : left >= right;
}

/** Nothing is asked of the network. */
export const noGet: HttpGet = async (url) => {
  throw new Error(`unexpected request for ${url}`);
};

/** A folder with buildout files. */
export interface Lab extends Disposable {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): string;
  /** Writes main.cfg, and reads it. */
  read(text: string, options?: Partial<ReadOptions>): Promise<Buildout>;
}

/** Makes a folder with these files; `using` takes it away. */
export function lab(files: Readonly<Record<string, string>> = {}): Lab {
  const folder = mkdtempSync(join(tmpdir(), 'oci-plone-buildout-'));
  const path = (name: string): string => join(folder, name);
  const write = (name: string, text: string): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
    return path(name);
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const defaults = { get: noGet, marker: tinyMarker, target: TARGET, env: { HOME: path('home') } };
  return {
    folder,
    path,
    write,
    read: async (text, options = {}) => readBuildout({ ...defaults, file: write('main.cfg', text), ...options }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Serves texts on loopback; a number is a status. Returns the base URL. */
export async function serve(
  answers: Readonly<Record<string, string | number>>,
  seen: string[] = [],
): Promise<AsyncDisposable & { readonly url: string }> {
  const server: Server = createServer((request, response) => {
    seen.push(request.url ?? '');
    const answer = answers[request.url ?? ''] ?? 404;
    response.statusCode = typeof answer === 'number' ? answer : 200;
    response.end(typeof answer === 'number' ? 'no' : answer);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
