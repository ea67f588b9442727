import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

let answer: Promise<string | false> | null = null;

/** For node:test's `skip`: false where pip gets a small wheel from the index that it is set up with, else what it says. */
export async function skipIndex(): Promise<string | false> {
  return (answer ??= ask());
}

async function ask(): Promise<string | false> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-index-'));
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--disable-pip-version-check', '--retries', '1'];
  try {
    await run('python3', [...pip, '--timeout', '20', '--dest', folder, 'six'], { timeout: 60_000 });
    return false;
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return `no package index is in reach: ${said.split('\n').find((line) => line.startsWith('ERROR')) ?? said.split('\n')[0]}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
