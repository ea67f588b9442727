import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { OciPloneError } from '../../src/errors.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { withNix } from '../../src/nix/session.ts';
import type { Nix, NixOptions } from '../../src/nix/session.ts';
import type { Expression } from '../../src/nix/instantiate.ts';

/** A folder of its own for one test: a home, a project with a shell for builders, a store. */
export interface Lab {
  readonly folder: string;
  readonly home: string;
  readonly project: string;
  readonly store: string;
  readonly env: Record<string, string | undefined>;
  /** What the sessions of this lab told. */
  readonly events: ProgressEvent[];
  /** Writes a file, with its folders, and returns its path. */
  write(name: string, text: string): string;
  /** Opens a session with the lab's store and environment. */
  withNix<T>(options: Partial<NixOptions>, use: (nix: Nix) => Promise<T>): Promise<T>;
  /** Writes an expression that may use `run` (see PRELUDE) into the project, and builds it. */
  build(expression: string, options?: Partial<NixOptions>, call?: Partial<Expression>): ReturnType<Nix['build']>;
  remove(): Promise<void>;
}

/**
 * `run NAME SCRIPT` is a derivation whose builder is a shell; `$b` is busybox. `shell` is the folder of both.
 */
export const PRELUDE = `
  let
    shell = "\${./shell}";
    run = runWith {};
    runWith = more: name: script: derivation ({
      inherit name; system = builtins.currentSystem;
      b = "\${shell}/busybox"; builder = "\${shell}/busybox"; args = [ "sh" "-euc" script ];
    } // more);
  in
`;

/** What these tests need and this machine lacks; false where it has all. */
export const skipNix: string | false = missing();

/** Whether this process may do what only root may. */
export const isRoot: boolean = process.geteuid?.() === 0;

function missing(): string | false {
  const absent = ['nix-instantiate', 'nix-store', 'bwrap', 'busybox'].filter((name) => which(name) === null);
  if (absent.length > 0) return `not in PATH: ${absent.join(', ')}`;
  const tried = spawnSync('bwrap', ['--unshare-user', '--ro-bind', '/', '/', 'true'], { encoding: 'utf8' });
  return tried.status === 0 ? false : `bubblewrap does not work here: ${tried.stderr.trim()}`;
}

/** Where a program is, along this process's PATH. */
export function which(name: string): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not here.
    }
  }
  return null;
}

export function makeLab(): Lab {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'oci-plone-lab-')));
  const project = join(folder, 'home', 'project');
  const home = join(folder, 'home');
  mkdirSync(join(project, 'shell'), { recursive: true });
  copyFileSync(which('busybox') ?? '', join(project, 'shell', 'busybox'));
  const env = { PATH: process.env['PATH'], HOME: home, NIX_CONFIG: 'substituters =\n' };
  const events: ProgressEvent[] = [];
  const lab: Lab = {
    folder,
    home,
    project,
    store: join(folder, 'store'),
    env,
    events,
    write: (name, text) => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    },
    withNix: (options, use) =>
      withNix(
        {
          store: lab.store,
          sandbox: 'bubblewrap',
          show: [],
          offline: false,
          settings: [],
          env,
          onProgress: (event) => events.push(event),
          ...options,
        },
        use,
      ),
    build: (expression, options = {}, call = {}) => {
      const file = lab.write('home/project/test.nix', PRELUDE + expression);
      const whole = { file, args: [], argstrs: [], include: [], ...call };
      return lab.withNix(options, (nix) => nix.build(whole));
    },
    remove: async () => {
      // A store's folders are read-only.
      if (existsSync(folder)) execFileSync('chmod', ['-R', 'u+w', folder]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return lab;
}

/** The text of what a lab's sessions told. */
export function told(lab: Lab): string {
  return lab.events.map((event) => ('line' in event ? event.line : 'text' in event ? event.text : '')).join('\n');
}

/** Asks for an error, and gives it back. */
export async function errorOf(promise: Promise<unknown>): Promise<OciPloneError> {
  const error: unknown = await promise.then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof OciPloneError, String(error));
  return error;
}
