import { OciPloneError } from '../errors.ts';
import { resolve } from '../layer/resolve.ts';
import type { FileNode, FolderNode } from '../layer/tree.ts';
import { type Platform, formatPlatform, platformOfElf, samePlatform } from '../oci/platform.ts';

/** Where runtimes look where an image has no PATH (moby's DefaultPathEnvUnix). */
const RUNTIME_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How a runtime finds a program: by the image's own PATH, or from the folder it starts in. */
export interface Lookup {
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly workdir: string | null;
}

/** The program that the image starts, every link inside the image followed. Throws INPUT_MALFORMED where it is not there. */
export function entrypointFile(tree: FolderNode, program: string, lookup: Lookup): FileNode {
  const candidates = candidatesOf(program, lookup);
  for (const candidate of candidates) {
    const found = resolve(tree, candidate)?.node;
    if (found?.kind === 'file' && (found.mode & 0o111) !== 0) return found;
    if (found?.kind === 'file')
      throw new OciPloneError('INPUT_MALFORMED', `the entrypoint ${candidate} is not executable`, { hint: HINT });
  }
  throw new OciPloneError('INPUT_MALFORMED', `the image has no ${candidates.join(' or ')} to start`, { hint: HINT });
}

function candidatesOf(program: string, { env, workdir }: Lookup): readonly string[] {
  if (program.startsWith('/')) return [program];
  if (program.includes('/')) return [`${workdir ?? ''}/${program}`];
  const path = env.find((pair) => pair.startsWith('PATH='))?.slice('PATH='.length) ?? RUNTIME_PATH;
  return path.split(':').map((folder) => `${folder}/${program}`);
}

const HINT = 'Name a program of the image with --entrypoint, or pack an environment that has bin/python.';

export interface PlatformSources {
  /** `--platform`. */
  readonly asked: Platform | null;
  readonly entrypoint: FileNode | null;
  /** What the derivation's system says. */
  readonly system: () => Promise<Platform | null>;
}

/**
 * The platform of an image: what was asked for, else the entrypoint's ELF header, else the derivation's system; null where
 * nothing says it. Throws INPUT_MALFORMED where a header names another machine than the one asked for.
 */
export async function imagePlatform({ asked, entrypoint, system }: PlatformSources): Promise<Platform | null> {
  const elf = entrypoint === null ? null : platformOfElf(firstBytes(entrypoint));
  if (asked !== null && elf !== null && !samePlatform(asked, elf))
    throw new OciPloneError(
      'INPUT_MALFORMED',
      `the entrypoint is a program for ${formatPlatform(elf)}, not for ${formatPlatform(asked)}`,
      { hint: 'Leave --platform out, or build for that platform.' },
    );
  return asked ?? elf ?? system();
}

function firstBytes(node: FileNode): Uint8Array {
  for (const piece of node.read()) return Uint8Array.from(piece.subarray(0, 64));
  return new Uint8Array();
}
