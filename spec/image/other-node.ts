import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/fixtures.ts';

const run = promisify(execFile);

export interface OtherNode {
  /** The program. */
  readonly path: string;
  /** For node:test: false, or why this version cannot be had. */
  readonly skip: string | false;
}

/** A Node of another major version: this process's own, or the one that npm's package `node` brings, fetched once. */
export async function otherNode(major: number): Promise<OtherNode> {
  if (process.versions.node.startsWith(`${major}.`)) return { path: process.execPath, skip: false };
  const cache = join(repositoryRoot, 'node_modules/.cache/oci-plone');
  const folder = join(cache, `node-${major}`);
  const path = join(folder, 'node_modules/node/bin/node');
  if (existsSync(path)) return { path, skip: false };
  await mkdir(cache, { recursive: true });
  const staging = await mkdtemp(join(cache, 'new-'));
  try {
    const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', '--prefix', staging, ...quiet, `node@${major}`], { timeout: 120_000 });
    // Another test file may have been faster: theirs is as good.
    await rename(staging, folder).catch(() => undefined);
    return { path, skip: existsSync(path) ? false : `npm's package node has no program for Node ${major} here` };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').at(-1) : String(error);
    return { path, skip: `npm's package node@${major} cannot be had: ${reason}` };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
