import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The checkout, wherever this file was compiled to. */
export const repositoryRoot: string = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}

/** A file or folder of `fixtures/`, or of the repository by `../`. */
export function fixture(...names: readonly string[]): string {
  return join(repositoryRoot, 'fixtures', ...names);
}

export interface NixpkgsFixture {
  /** The folder that stands for `<nixpkgs>`. */
  readonly path: string;
  /** What makes it so: the environment for the command line, or for Nix itself. Nothing is asked of the network. */
  readonly env: Readonly<Record<'NIX_PATH' | 'NIX_CONFIG', string>>;
  /** For node:test: false, or why the tests that build with it cannot run here. */
  readonly skip: string | false;
}

/** The stand-in for `<nixpkgs>`, its sources fetched when they are not there yet. */
export async function nixpkgsFixture(): Promise<NixpkgsFixture> {
  const path = fixture('nixpkgs');
  return {
    path,
    env: { NIX_PATH: `nixpkgs=${path}`, NIX_CONFIG: 'substituters =\nbuild-users-group =\n' },
    skip: missing('nix-build') || (await fetchSources()),
  };
}

async function fetchSources(): Promise<string | false> {
  try {
    await run(join(repositoryRoot, 'scripts/fetch-nixpkgs-fixture.sh'));
    return false;
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    return `fixtures/nixpkgs cannot be fetched: ${stderr.split('\n').at(-1)}`;
  }
}

/** For node:test's `skip`: false where all of these programs are on the PATH, else a sentence that names the missing. */
export function missing(...programs: readonly string[]): string | false {
  const absent = programs.filter((program) => !isOnPath(program));
  return absent.length === 0 ? false : `not installed: ${absent.join(', ')}`;
}

function isOnPath(program: string): boolean {
  // Debian keeps runc and docker-registry's like in sbin, which a plain user's PATH lacks.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
