import { malformed } from './failure.ts';
import { evaluate } from './expression.ts';
import type { Value } from './python-value.ts';
import type { Condition } from './parse.ts';

/** The Python that conditions ask about. */
export interface Target {
  /** In full: `3.11.2`. */
  readonly pythonVersion: string;
  /** As `sys.platform` has it: `linux`, `darwin`, `win32`. */
  readonly sysPlatform: string;
  readonly bits: 32 | 64;
  /** `cpython`, `pypy` … */
  readonly implementation: string;
}

/** Tells what a PEP 508 marker says about the target; null where the text is no marker. */
export type Marker = (text: string) => boolean | null;

/** A condition `[section:expression]`: a PEP 508 marker if it is one, else an expression with buildout's own names. */
export function conditionFor(target: Target, marker: Marker): Condition {
  const names = namesOf(target);
  return (text) => {
    const marked = marker(text);
    if (marked !== null) return marked;
    return evaluate(text, (name) => (names.has(name) ? names.get(name) : pythonName(name, target)));
  };
}

/** python2, python3, python27, python311 … */
function pythonName(name: string, target: Target): boolean | undefined {
  const version = /^python(\d{1,3})$/.exec(name)?.[1];
  if (version === undefined) return undefined;
  const [major = '', minor = ''] = target.pythonVersion.split('.');
  return version === major || version === `${major}${minor}`;
}

/** `_default_globals` of zc.buildout, and of its modules sys, os and platform what a header can sensibly ask. */
function namesOf(target: Target): ReadonlyMap<string, Value> {
  const numbers = target.pythonVersion.split('.').map((part) => Number.parseInt(part, 10));
  if (numbers.length < 2 || numbers.some(Number.isNaN))
    throw malformed(`"${target.pythonVersion}" is no Python version`);
  const platform = target.sysPlatform.toLowerCase();
  const implementation = target.implementation.toLowerCase();
  const [pypy, jython, ironpython] = ['pypy', 'jython', 'iron'].map((name) => implementation.includes(name));
  const windows = platform.includes('win32');
  return new Map<string, Value>([
    ['True', true],
    ['False', false],
    ['None', null],
    ['cpython', !pypy && !jython && !ironpython],
    ['pypy', pypy ?? false],
    ['jython', jython ?? false],
    ['ironpython', ironpython ?? false],
    ['linux', platform.includes('linux')],
    ['windows', windows],
    ['cygwin', platform.includes('cygwin')],
    ['solaris', platform.includes('sunos')],
    ['macosx', platform.includes('darwin')],
    ['posix', !windows],
    ['bits32', target.bits === 32],
    ['bits64', target.bits === 64],
    ['little_endian', true],
    ['big_endian', false],
    ['sys.platform', target.sysPlatform],
    ['sys.version_info', [...numbers, 'final', 0]],
    ['sys.version_info.major', numbers[0] ?? 0],
    ['sys.version_info.minor', numbers[1] ?? 0],
    ['os.name', windows ? 'nt' : 'posix'],
    ['platform.python_version()', target.pythonVersion],
    ['platform.system()', systemName(platform)],
  ]);
}

function systemName(platform: string): string {
  if (platform.startsWith('linux')) return 'Linux';
  if (platform.startsWith('darwin')) return 'Darwin';
  return platform.startsWith('win32') ? 'Windows' : platform;
}
