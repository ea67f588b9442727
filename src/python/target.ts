import { OciPloneError } from '../errors.ts';

/** The Python and the machine that a working set is for. */
export interface Target {
  /** The full version, such as 3.11.2: Requires-Python is about it. */
  readonly pythonVersion: string;
  /** As wheels name it. */
  readonly platform: 'linux_x86_64' | (string & {});
  /** Up to which glibc manylinux wheels may ask for. */
  readonly glibc: string;
  readonly implementation: 'cpython';
}

/** Debian 12. */
export const DEFAULT_TARGET: Target = {
  pythonVersion: '3.11.2',
  platform: 'linux_x86_64',
  glibc: '2.36',
  implementation: 'cpython',
};

/** What a version without its third number stands for; of others the first release is meant, the least that can be. */
const FULL_VERSIONS: Readonly<Record<string, string>> = { '2.7': '2.7.18', '3.11': '3.11.2' };

/**
 * The target for a Python version: `3.11` is 3.11.2.
 *
 * @throws USAGE for what is no version of Python
 */
export function targetOf(
  python: string,
  machine: { readonly platform?: string; readonly glibc?: string } = {},
): Target {
  const version = /^(\d+\.\d+)(\.\d+)?$/.exec(python.trim());
  const [, minor, patch] = version ?? [];
  if (minor === undefined)
    throw new OciPloneError('USAGE', `"${python}" is not a version of Python`, {
      hint: 'Give the full version, for example 3.11.2.',
    });
  return {
    pythonVersion: patch === undefined ? (FULL_VERSIONS[minor] ?? `${minor}.0`) : minor + patch,
    platform: machine.platform ?? DEFAULT_TARGET.platform,
    glibc: machine.glibc ?? DEFAULT_TARGET.glibc,
    implementation: 'cpython',
  };
}

/** `3.11` of `3.11.2`. */
export function minorOf(pythonVersion: string): string {
  return pythonVersion.split('.').slice(0, 2).join('.');
}
