import { OciPloneError } from '../errors.ts';
import { nixFailed } from './failure.ts';
import { nixMessage } from './message.ts';
import { type PathInfo, parseDump, parsePathInfo } from './path-info.ts';
import { runStep } from './runner.ts';
import type { Session } from './runner.ts';
import { isStorePath, onDisk, storePathOf } from './store.ts';

/** One store path, with what Nix knows of it. */
export interface ClosurePath extends PathInfo {
  /** The folder, file or link where it lies on this machine. */
  readonly onDisk: string;
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
  const infos = (await askNix(session, root)) ?? (await askNixStore(session, root));
  const paths = infos.map((info) => Object.assign(info, { onDisk: onDisk(session.store, info.path) }));
  return { root, paths: paths.sort((a, b) => byBytes(a.path, b.path)) };
}

/** One question to the newer program; null where it is not there, or does not answer as it is known to. */
async function askNix(session: Session, root: string): Promise<readonly PathInfo[] | null> {
  if (session.programs.nix === null) return null;
  const args = ['--extra-experimental-features', 'nix-command', 'path-info', '--recursive', '--json', root];
  const silent = (): void => undefined;
  const ended = await runStep(session, { kind: 'evaluation', holding: 'view', program: 'nix', args, onLine: silent });
  return ended.code === 0 ? parsePathInfo(ended.stdout, root) : null;
}

/** Two or more to the older one, whose answers stay what they are. */
async function askNixStore(session: Session, root: string): Promise<readonly PathInfo[]> {
  const answer = await ask(session, ['--query', '--requisites', root]);
  const names = [...new Set(answer.split('\n').filter((line) => line !== ''))];
  const infos: PathInfo[] = [];
  for (let at = 0; at < names.length; at += PATHS_PER_CALL) {
    infos.push(...parseDump(await ask(session, ['--dump-db', ...names.slice(at, at + PATHS_PER_CALL)])));
  }
  if (infos.length === names.length) return infos;
  throw new OciPloneError('NIX_FAILED', `nix-store described ${infos.length} of ${names.length} paths`);
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
