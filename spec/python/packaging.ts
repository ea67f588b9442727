import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/fixtures.ts';
import { ORACLE_FOLDER } from '../support/zc-buildout.ts';

const run = promisify(execFile);

export interface Questions {
  readonly versions?: readonly string[];
  readonly matches?: readonly (readonly [specifiers: string, version: string])[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly markers?: readonly string[];
  readonly tags?: readonly (readonly [python: readonly [number, number], platforms: readonly string[]])[];
}

/** Null is what is not valid. */
export interface Answers {
  readonly versions: readonly (string | null)[];
  /** The valid ones, sorted; equal ones in the order of the question. */
  readonly order: readonly string[];
  readonly matches: readonly (boolean | null)[];
  readonly markers: readonly (boolean | null)[];
  readonly tags: readonly (readonly string[])[];
}

/** Asks the library `packaging`, which zc.buildout brings: call `skipOracle` before. */
export async function askPackaging(questions: Questions): Promise<Answers> {
  const running = run('python3', [join(repositoryRoot, 'spec', 'python', 'packaging_oracle.py')], {
    env: { ...process.env, PYTHONPATH: ORACLE_FOLDER },
    maxBuffer: 64 * 1024 * 1024,
  });
  const empty = { versions: [], matches: [], environment: {}, markers: [], tags: [] };
  running.child.stdin?.end(JSON.stringify({ ...empty, ...questions }));
  const { stdout } = await running;
  // The shape is that of the script beside this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(stdout) as Answers;
}
