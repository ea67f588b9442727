import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { repositoryRoot } from './fixtures.ts';

/** What package.json's `bin` names. */
export const cliMain: string = join(repositoryRoot, 'dist/bundle/start.cjs');

export interface CliOptions {
  readonly cwd?: string;
  /** Over `cleanEnvironment()`; undefined takes a name out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A file, or a stream, for standard input; empty without one. */
  readonly stdin?: string | Readable;
  /** Another Node than the one that runs the tests. */
  readonly node?: string;
  /** A program that gets Node and its arguments: `['taskset', '-c', '0']`. */
  readonly through?: readonly string[];
}

export interface Finished {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  readonly finished: Promise<Finished>;
}

/** This process's environment without whatever would change what oci-plone does; Nix asks nothing of the network. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const changing =
    /^(NIX_|SOURCE_DATE_EPOCH$|NODE_|NO_COLOR$|FORCE_COLOR$|DOCKER_|REGISTRY_AUTH_FILE$|GIT_|TZ$|LC_|LANG)/;
  const kept = Object.entries(process.env).filter(([name]) => !changing.test(name));
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return {
    ...Object.fromEntries(kept),
    PATH: path,
    NIX_CONFIG: 'substituters =\nbuild-users-group =\n',
    NIX_PATH: `nixpkgs=${join(repositoryRoot, 'fixtures/nixpkgs')}`,
  };
}

/** Starts the command line as a process of its own. */
export function startCli(args: readonly string[], options: CliOptions = {}): Running {
  const { cwd, env, stdin, node = process.execPath, through = [] } = options;
  const [program = node, ...words] = [...through, node, cliMain, ...args];
  const child = spawn(program, words, {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  // A command that ends before it has read everything closes the pipe: its exit code tells why.
  if (stdin !== undefined && child.stdin !== null) {
    const source = typeof stdin === 'string' ? createReadStream(stdin) : stdin;
    pipeline(source, child.stdin).catch(() => undefined);
  }
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { child, stderr: () => stderr, finished };
}

/** Runs the command line to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Finished> {
  return startCli(args, options).finished;
}
