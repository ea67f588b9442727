import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Child {
  readonly process: ChildProcess;
  /** Its first line on stdout. */
  readonly line: Promise<string>;
  readonly kill: () => Promise<void>;
  /** Waits for its end; rejects with what it wrote to stderr where that is not a success. */
  readonly done: Promise<void>;
}

/** Where a module of the specs or of the program is, for a child's import. */
export function compiled(path: string): string {
  return JSON.stringify(import.meta.resolve(path.replace(/\.ts$/, '.js')));
}

/** Runs JavaScript in a process of its own, which can be killed as no test can be. */
export function startChild(code: string): Child {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { stdio: ['pipe', 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const line = new Promise<string>((resolve) => {
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.includes('\n')) resolve(stdout.split('\n')[0] ?? '');
    });
    void closed.then(() => resolve(stdout));
  });
  const done = closed.then(([status]) => {
    if (status !== 0) throw new Error(stderr === '' ? `ended with ${child.signalCode ?? String(status)}` : stderr);
  });
  done.catch(() => undefined);
  return {
    process: child,
    line,
    done,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
