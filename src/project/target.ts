import type { Environment, CallOptions } from '../call-options.ts';
import type { Target as BuildoutTarget } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { sessionOptions } from '../nix/choices.ts';
import type { Nixpkgs } from '../nix/expressions/working-set.ts';
import { DEFAULT_TARGET, targetOf } from '../python/target.ts';
import type { Target } from '../python/target.ts';
import { readLock } from './lock-file.ts';
import type { BuildoutChoices, EvaluationChoices } from './options.ts';
import { importOf, readNixpkgs } from './nixpkgs.ts';

/** What a target is found by. */
export interface TargetSources extends Pick<BuildoutChoices, 'python' | 'nixpkgs' | 'offline'>, EvaluationChoices {
  /** Locks that may say it, the nearest first. */
  readonly locks: readonly string[];
}

/**
 * The target of a buildout: of `--python`, else of its lock, else of the `python3` of the nixpkgs in use, else Debian 12's.
 *
 * @throws USAGE for what is no version; INPUT_MALFORMED for a lock that cannot be read; and what evaluating a nixpkgs that was
 * named throws
 */
export async function findTarget(
  sources: TargetSources,
  call: CallOptions & { readonly env: Environment },
): Promise<Target> {
  if (sources.python !== undefined) return targetOf(sources.python);
  for (const path of sources.locks) {
    const lock = await readLock(path);
    if (lock !== null) return targetOf(lock.python, { platform: lock.platform, glibc: lock.glibc });
  }
  const nixpkgs = readNixpkgs(sources.nixpkgs);
  try {
    return targetOf(await pythonOfNixpkgs(nixpkgs, sources, call));
  } catch (error) {
    const isFatal = !(error instanceof OciPloneError) || ['ABORTED', 'NIX_TIMEOUT'].includes(error.code);
    if (isFatal || nixpkgs.kind !== 'search-path') throw error;
    // Without Nix, without a sandbox, without a <nixpkgs>: a buildout can be read and resolved all the same.
    return DEFAULT_TARGET;
  }
}

async function pythonOfNixpkgs(
  nixpkgs: Nixpkgs,
  choices: TargetSources,
  call: CallOptions & { readonly env: Environment },
): Promise<string> {
  const { withNix } = await import('../nix/session.ts');
  const show = [...(choices.show ?? []), ...(nixpkgs.kind === 'folder' ? [nixpkgs.path] : [])];
  // What Nix says is of no interest where nobody named this nixpkgs; a download of one that was named takes its time.
  const { env, signal, onProgress } = call;
  const told = nixpkgs.kind === 'search-path' ? { env, signal } : { env, signal, onProgress };
  const value = await withNix(sessionOptions({ ...choices, show }, told), async (nix) =>
    nix.evaluate(`(${importOf(nixpkgs)}).python3.version`, choices.include ?? []),
  );
  // Distributions add to it, as Debian's 3.11.2-6.
  const version = typeof value === 'string' ? /^\d+\.\d+(?:\.\d+)?/.exec(value)?.[0] : undefined;
  if (version !== undefined) return version;
  throw new OciPloneError('NIX_FAILED', `python3.version of nixpkgs is ${JSON.stringify(value)}, which is no version`, {
    hint: 'Say it with --python, for example --python 3.11.2.',
  });
}

/** What the conditions of a buildout ask about. */
export function buildoutTarget({ pythonVersion, implementation }: Target): BuildoutTarget {
  const isOld = pythonVersion.startsWith('2.');
  return { pythonVersion, sysPlatform: isOld ? 'linux2' : 'linux', bits: 64, implementation };
}
