import { access, constants } from 'node:fs/promises';
import { OciPloneError } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import type { Holding } from './holding.ts';
import { nixMessage } from './message.ts';
import type { Ended } from './run.ts';
import { runStep } from './runner.ts';
import type { Session } from './runner.ts';
import { hasSecrets } from './configuration.ts';
import { isChosen, wordsOf } from './settings.ts';

/**
 * Starts Nix in the sandbox of evaluation once, to know that both work. Throws SANDBOX_UNAVAILABLE with bubblewrap's own
 * words, and NIX_ABSENT where Nix does not start.
 */
export async function checkSandbox(session: Session): Promise<void> {
  const ended = await runStep(session, {
    kind: 'evaluation',
    holding: 'view',
    program: 'instantiate',
    args: ['--version'],
    onLine: () => {},
  });
  if (ended.code === 0) return;
  throwIfSandboxFailed(session, ended);
  throw new OciPloneError('NIX_ABSENT', `Nix does not start: ${nixMessage(ended.stderr)}`);
}

/** Throws SANDBOX_UNAVAILABLE where it was bubblewrap, not Nix, that ended a program. */
export function throwIfSandboxFailed(session: Session, ended: Ended): void {
  if (session.programs.bubblewrap === null || ended.code === 0) return;
  const reason = /^bwrap: (.*)/.exec(ended.stderr)?.[1];
  if (reason === undefined) return;
  throw new OciPloneError('SANDBOX_UNAVAILABLE', `bubblewrap cannot make a sandbox here: ${reason}`, {
    hint: 'Allow unprivileged user namespaces on this machine, or choose --sandbox=none if you trust the expression.',
  });
}

/** What Nix's sandbox needs of the kernel, asked for with bubblewrap: a fresh process namespace with its /proc. */
const INNER = ['--unshare-user', '--unshare-pid', '--bind', '/', '/', '--proc', '/proc', '--'];

/**
 * Finds what can hold the builders, by trying it with bubblewrap in place of Nix's sandbox.
 */
export async function findHolding(session: Session, onProgress: OnProgress | undefined): Promise<Holding> {
  const { programs, store, settings } = session;
  if (programs.bubblewrap === null || store.kind === 'daemon') return 'view';
  if (isChosen(settings, 'sandbox') && wordsOf(settings, 'sandbox').at(-1) === 'false') return 'view';
  const candidates: Holding[] = [];
  if (process.geteuid?.() === 0) candidates.push('users');
  if (!(await mayWriteSysctls())) candidates.push('sandbox');
  for (const holding of candidates) {
    const ended = await runStep(session, {
      kind: 'evaluation',
      holding,
      program: 'bubblewrap',
      args: [...INNER, programs.bubblewrap, '--version'],
      onLine: () => {},
    });
    if (ended.code === 0) return holding;
  }
  const seen = hasSecrets(settings) ? 'what Nix sees, the tokens in its settings included' : 'what Nix sees';
  const text = `Nix's own sandbox does not work inside bubblewrap on this machine: builders see ${seen}`;
  onProgress?.({ kind: 'note', text });
  return 'view';
}

/** The id of root outside, whatever it is called here: the kernel asks for the id alone (proc_sys_permission). */
async function mayWriteSysctls(): Promise<boolean> {
  return access('/proc/sys/kernel/core_pattern', constants.W_OK).then(
    () => true,
    () => false,
  );
}
