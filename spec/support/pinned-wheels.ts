import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What Debian 12's Python takes, whichever Python runs pip here. */
const PLATFORMS = [
  ...['2_36', '2_34', '2_31', '2_28', '2_27', '2_17', '2_12', '2_5'].map((glibc) => `manylinux_${glibc}_x86_64`),
  ...['2014', '2010', '1'].map((year) => `manylinux${year}_x86_64`),
  'linux_x86_64',
];
const TARGET: readonly string[] = '--only-binary :all: --python-version 3.11 --implementation cp'
  .split(' ')
  .concat(PLATFORMS.flatMap((platform) => ['--platform', platform]));

export interface PinnedWheels {
  /** A folder of wheels. */
  readonly folder: string;
  readonly remove: () => Promise<void>;
  /** For node:test's `skip`: false, or why the wheels cannot be had. */
  readonly skip: string | false;
}

/** The pins of a file with one section [versions], by name as it is written. */
export async function pinsOf(file: string): Promise<readonly (readonly [name: string, version: string])[]> {
  const text = await readFile(file, 'utf8');
  return [...text.matchAll(/^(\w[\w.-]*) = (\S+)$/gm)].map(([, name = '', version = '']) => [name, version]);
}

/** Has pip download what a versions.cfg pins, from whichever index pip knows. */
export async function downloadPins(file: string): Promise<PinnedWheels> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-wheels-'));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  const pins = (await pinsOf(file)).map(([name, version]) => `${name}==${version}`);
  try {
    const options = ['--quiet', '--no-deps', '--disable-pip-version-check', '--dest', folder, ...TARGET];
    await run('python3', ['-m', 'pip', 'download', ...options, ...pins], { timeout: 600_000 });
    return { folder, remove, skip: false };
  } catch (error) {
    await remove();
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const line = said.split('\n').find((one) => one.startsWith('ERROR')) ?? said.split('\n')[0];
    return { folder, remove, skip: `pip has no index here that serves the pins: ${line}` };
  }
}
