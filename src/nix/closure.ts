import { OciPloneError } from '../errors.ts';
import { nixFailed } from './failure.ts';
import { nixMessage } from './message.ts';
import { runStep } from './runner.ts';
import type { Session } from './runner.ts';
import { isStorePath, onDisk, storePathOf } from './store.ts';

/** One store path, with what Nix knows of it. */
export interface ClosurePath {
  /** Its name, /nix/store/…, in every store. */
  readonly path: string;
  /** The folder, file or link where it lies on this machine. */
  readonly onDisk: string;
  /** Of its NAR serialisation: `sha256:` and hex digits. */
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
}

/** A store path and everything it needs. */
export interface Closure {
  readonly root: string;
  /** In the order of their bytes. */
  readonly paths: readonly ClosurePath[];
}

/** The kernel takes 128 KiB for one argument and usually 2 MiB for all: a store path has at most 222 bytes. */
const PATHS_PER_CALL = 4000;

/**
 * The closure of a store path, given by its name or its place on disk. Throws INPUT_MALFORMED for what is no store path,
 * INPUT_ABSENT for one that this store does not have.
 */
export async function closureOf(session: Session, path: string): Promise<Closure> {
  const root = storePathOf(session.store, path);
  const names = (await ask(session, ['--query', '--requisites', root])).split('\n').filter((line) => line !== '');
  const sorted = [...new Set(names)].sort(byBytes);
  const paths: ClosurePath[] = [];
  for (let at = 0; at < sorted.length; at += PATHS_PER_CALL) {
    const dump = await ask(session, ['--dump-db', ...sorted.slice(at, at + PATHS_PER_CALL)]);
    paths.push(...parseDump(dump).map((one) => Object.assign(one, { onDisk: onDisk(session.store, one.path) })));
  }
  paths.sort((a, b) => byBytes(a.path, b.path));
  if (paths.length !== sorted.length) {
    throw new OciPloneError('NIX_FAILED', `nix-store described ${paths.length} of ${sorted.length} paths`);
  }
  return { root, paths };
}

/**
 * What `nix-store --dump-db` prints for each path, a line each: path, narHash in hex, narSize, deriver, the count of
 * references, the references. The order is that of the arguments. Throws NIX_FAILED for anything else.
 */
export function parseDump(dump: string): readonly Omit<ClosurePath, 'onDisk'>[] {
  const lines = dump.split('\n');
  const paths: Omit<ClosurePath, 'onDisk'>[] = [];
  for (let at = 0; at < lines.length && lines[at] !== '';) {
    const [path = '', hash = '', size = '', , count = ''] = lines.slice(at, at + 5);
    const references = lines.slice(at + 5, at + 5 + Number(count));
    const isWhole = /^\d+$/.test(count) && references.length === Number(count) && references.every(isStorePath);
    if (!isStorePath(path) || !/^[0-9a-f]{64}$/.test(hash) || !/^\d+$/.test(size) || !isWhole) {
      throw new OciPloneError('NIX_FAILED', `nix-store --dump-db: line ${at + 1} is not what was expected`);
    }
    paths.push({ path, narHash: `sha256:${hash}`, narSize: Number(size), references });
    at += 5 + references.length;
  }
  return paths;
}

/** The system that a store path was built for, where the store still has its derivation; else null. */
export async function systemOf(session: Session, path: string): Promise<string | null> {
  const deriver = (await ask(session, ['--query', '--deriver', storePathOf(session.store, path)])).trim();
  return isStorePath(deriver) ? systemOfDerivation(session, deriver) : null;
}

/** The `system` of a derivation, or null where the store does not have it. */
export async function systemOfDerivation(session: Session, derivation: string): Promise<string | null> {
  try {
    return (await ask(session, ['--query', '--binding', 'system', derivation])).trim() || null;
  } catch (error) {
    if (error instanceof OciPloneError && error.exitCode === 4 && error.code !== 'NIX_TIMEOUT') return null;
    if (error instanceof OciPloneError && error.code === 'INPUT_ABSENT') return null;
    throw error;
  }
}

/** A question to the store: seen as tightly as evaluation. */
async function ask(session: Session, args: readonly string[]): Promise<string> {
  const ended = await runStep(session, { kind: 'evaluation', holding: 'view', program: 'store', args });
  if (ended.code === 0) return ended.stdout;
  const message = nixMessage(ended.stderr);
  if (!/is not valid|does not exist/.test(message)) throw await nixFailed(session, ended, []);
  throw new OciPloneError('INPUT_ABSENT', `the Nix store does not have it: ${message}`, {
    hint: 'Name the store that has it with --store.',
  });
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
