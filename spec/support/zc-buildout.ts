import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Target } from '../../src/buildout/read.ts';
import { repositoryRoot } from './fixtures.ts';

const run = promisify(execFile);
const VERSION = '6.0.1';
/** Where zc.buildout and what it requires, such as `packaging`, can be imported from. */
export const ORACLE_FOLDER: string = join(tmpdir(), `oci-plone-zc-buildout-${VERSION}`);

/** One buildout file to be read. */
export interface Job {
  readonly file: string;
  /** The working folder. */
  readonly folder: string;
  readonly env: { readonly HOME: string; readonly BUILDOUT_HOME?: string };
  readonly userDefaults: boolean;
  readonly overrides: readonly (readonly [section: string, option: string, value: string])[];
}

/** A name of a Python exception, or the options in order. */
export type Outcome =
  { readonly failure: string } | { readonly values: readonly (readonly [key: string, value: string])[] };

export type OracleResult =
  | { readonly failure: string; readonly message: string }
  | {
      readonly failure?: undefined;
      readonly sections: readonly (readonly [name: string, outcome: Outcome])[];
      /** As zc.buildout normalises them. */
      readonly versions: readonly (readonly [name: string, version: string])[];
      /** By `section:option`: the files that a value comes from. */
      readonly sources: Readonly<Record<string, readonly string[]>>;
    };

export interface OracleAnswer {
  /** The Python that answered. */
  readonly target: Target;
  /** What it says of PEP 508 markers; null for what is none. */
  readonly markers: readonly (readonly [text: string, value: boolean | null])[];
  readonly results: readonly OracleResult[];
}

/** Installs zc.buildout once for this machine. False, or why it cannot be had. */
export async function skipOracle(): Promise<string | false> {
  if (existsSync(ORACLE_FOLDER)) return false;
  const draft = await mkdtemp(`${ORACLE_FOLDER}-`);
  try {
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', draft, `zc.buildout==${VERSION}`], {
      timeout: 120_000,
    });
    await run('python3', ['-c', 'import zc.buildout.buildout'], { env: { ...process.env, PYTHONPATH: draft } });
    await rename(draft, ORACLE_FOLDER).catch((error: unknown) => {
      if (!existsSync(ORACLE_FOLDER)) throw error;
    });
    return false;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    return `zc.buildout ${VERSION} cannot be installed with python3 -m pip: ${reason ?? ''}`;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Asks zc.buildout to read these files. */
export async function askOracle(jobs: readonly Job[], markers: readonly string[]): Promise<OracleAnswer> {
  const script = join(repositoryRoot, 'spec', 'support', 'zc-buildout.py');
  const running = run('python3', ['-W', 'ignore', '-X', 'utf8', script], {
    env: { ...process.env, PYTHONPATH: ORACLE_FOLDER },
    maxBuffer: 256 * 1024 * 1024,
  });
  running.child.stdin?.end(JSON.stringify({ jobs, markers }));
  const { stdout } = await running;
  // The shape is that of the script beside this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(stdout) as OracleAnswer;
}
