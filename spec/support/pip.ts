import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT = 512 * 1024 * 1024;

/** The Python whose pip is asked. */
export interface PipPython {
  /** The full version. */
  readonly version: string;
  readonly platform: string;
  readonly glibc: string;
}

const DESCRIBE =
  'import platform; print(platform.python_version(), "linux_" + platform.machine(), platform.libc_ver()[1])';

/** The `python3` of the PATH, or why its pip cannot be asked. */
export async function findPip(): Promise<{ readonly python: PipPython | null; readonly skip: string | false }> {
  try {
    const { stdout: pip } = await run('python3', ['-m', 'pip', '--version']);
    const [, major = '0', minor = '0'] = /^pip (\d+)\.(\d+)/.exec(pip) ?? [];
    // The report of a dry run came with pip 22.2.
    if (Number(major) * 100 + Number(minor) < 2202) return { python: null, skip: `${pip.trim()} has no --report` };
    const { stdout } = await run('python3', ['-c', DESCRIBE]);
    const [version = '', platform = '', glibc = ''] = stdout.trim().split(' ');
    return { python: { version, platform, glibc }, skip: false };
  } catch (error) {
    return { python: null, skip: `python3 -m pip cannot be run: ${reasonOf(error)}` };
  }
}

/**
 * What pip would install: `name version file` of each, sorted. Nothing is installed.
 *
 * @param flags - such as `--no-index`, `-c constraints.txt`
 */
export async function pipDryRun(requirements: readonly string[], flags: readonly string[]): Promise<readonly string[]> {
  const common = ['-m', 'pip', 'install', '--dry-run', '--ignore-installed', '--quiet', '--report', '-'];
  const { stdout } = await run('python3', [...common, ...flags, ...requirements], { maxBuffer: MAX_OUTPUT });
  // Of pip's report, its version 1, what is needed here.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    readonly install: readonly {
      readonly metadata: { readonly name: string; readonly version: string };
      readonly download_info: { readonly url: string };
    }[];
  };
  return report.install
    .map(({ metadata, download_info: { url } }) => {
      const file = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '');
      return `${metadata.name.replaceAll(/[-_.]+/g, '-').toLowerCase()} ${metadata.version} ${file}`;
    })
    .sort();
}

/** The last line of what a program said when it failed. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return text.trim().split('\n').at(-1) ?? '';
}
