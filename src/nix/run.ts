import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { Readable, Writable } from 'node:stream';
import { OciPloneError, systemCode, throwIfAborted } from '../errors.ts';
import { endTree } from './kill.ts';
import { readLines } from './lines.ts';
import { CHILD_INFO, MAP_READY } from './sandbox.ts';
import type { BuilderIds } from './user-map.ts';
import { writeMaps } from './user-map.ts';
import { watch } from './limits.ts';
import type { Limits } from './limits.ts';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Whether the program is bubblewrap, and for whom it waits: ids to be mapped, or null for none. */
  readonly bubblewrap: { readonly builders: BuilderIds | null } | null;
  readonly folder: string;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  /** The last part of what was written to stderr, without colours. */
  readonly stderr: string;
}

/**
 * Runs a program to its end, without a shell. Throws ABORTED and NIX_TIMEOUT, whichever comes first, once the whole process
 * tree is gone; an exit code other than 0 is the caller's to judge.
 */
export async function run(command: Command, limits: Limits, onLine: (line: string) => void): Promise<Ended> {
  throwIfAborted(limits.signal);
  const started = performance.now();
  // A group of its own: a terminal's Ctrl-C must not reach Nix before `endTree` does.
  const child = spawn(command.program, command.args, {
    cwd: command.folder,
    env: command.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...(command.bubblewrap === null ? [] : (['pipe', 'pipe'] as const))],
  });
  const ended = endOf(child, command.program);
  const stop = watch(limits);
  try {
    const output = text(readable(child, 1));
    const messages = readLines(readable(child, 2), onLine);
    if (command.bubblewrap !== null) answerBubblewrap(child, command.bubblewrap.builders);
    const reason = await Promise.race([ended.then(() => null), stop.reason]);
    if (reason !== null) {
      if (child.pid !== undefined) await endTree(child.pid, limits.mark, limits.grace, ended);
      await ended;
      throw reason;
    }
    return { code: await ended, stdout: await output, stderr: messages.tail() };
  } finally {
    stop.clear();
    limits.remaining -= performance.now() - started;
  }
}

async function endOf(child: ChildProcess, program: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const hint = systemCode(error) === 'E2BIG' ? 'Show fewer folders.' : '';
      reject(new OciPloneError('NIX_ABSENT', `starting ${program}: ${error.message}`, { hint, cause: error }));
    });
    child.once('close', (code) => {
      resolve(code);
    });
  });
}

function readable(child: ChildProcess, descriptor: number): Readable {
  const stream = child.stdio[descriptor];
  if (!(stream instanceof Readable)) throw new TypeError(`descriptor ${descriptor} is not a pipe to read from`);
  return stream;
}

/** Tells bubblewrap that its user namespace is ready. Where the map is refused it finds the pipe closed, and ends. */
function answerBubblewrap(child: ChildProcess, builders: BuilderIds | null): void {
  const ready = child.stdio[MAP_READY];
  if (!(ready instanceof Writable)) throw new TypeError('a pipe to bubblewrap is missing');
  const info = readable(child, CHILD_INFO);
  // A pipe that breaks has nothing to tell: bubblewrap's own end does.
  for (const pipe of [ready, info]) pipe.on('error', () => {});
  if (builders === null) {
    info.resume();
    ready.end();
    return;
  }
  let json = '';
  let found = false;
  info.setEncoding('utf8');
  info.on('data', (chunk: string) => {
    json += chunk;
    const pid = /"child-pid":\s*(\d+)\b./s.exec(json)?.[1];
    if (pid === undefined || found) return;
    found = true;
    writeMaps(Number(pid), builders).then(
      () => ready.end('x'),
      () => ready.end(),
    );
  });
}
