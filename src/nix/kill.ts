import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
}

/**
 * Ends a program and everything it started. Nix is asked first, so that it can end its builders and release its locks;
 * what is left after the grace period is frozen, so that nothing new starts while it is counted, and killed.
 */
export async function endTree(
  root: number,
  mark: string,
  graceMilliseconds: number,
  ended: Promise<unknown>,
): Promise<void> {
  const asked = await firstOf(root);
  signal(asked, 'SIGTERM');
  const stopWaiting = new AbortController();
  const grace = sleep(graceMilliseconds, undefined, { signal: stopWaiting.signal }).catch(() => {});
  await Promise.race([ended, grace]);
  stopWaiting.abort();
  await killAll(root, mark);
}

/** Freezes until no process is new, then kills. Also finds those whose parent is gone, by the session's mark. */
async function killAll(root: number, mark: string): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const frozen = new Set<number>();
    for (;;) {
      const found = [...(await treeOf(root)), ...(await marked(mark))].filter((pid) => !frozen.has(pid));
      if (found.length === 0) break;
      for (const pid of found) {
        signal(pid, 'SIGSTOP');
        frozen.add(pid);
      }
    }
    if (frozen.size === 0) return;
    for (const pid of frozen) signal(pid, 'SIGKILL');
    await sleep(10);
  }
}

/** Bubblewrap passes no signals on: the first process below that is not bubblewrap is Nix. */
async function firstOf(root: number): Promise<number> {
  const processes = await list();
  let current = root;
  for (;;) {
    if (processes.find(({ pid }) => pid === current)?.name !== 'bwrap') return current;
    const child = processes.find(({ parent }) => parent === current);
    if (child === undefined) return current;
    current = child.pid;
  }
}

async function treeOf(root: number): Promise<readonly number[]> {
  const processes = await list();
  const tree = new Set(processes.filter(({ pid }) => pid === root).map(({ pid }) => pid));
  for (let size = -1; size !== tree.size;) {
    size = tree.size;
    for (const { pid, parent } of processes) if (tree.has(parent)) tree.add(pid);
  }
  return [...tree];
}

/** Processes that work below the session's folder, or whose environment names it, as that of every builder does. */
async function marked(mark: string): Promise<readonly number[]> {
  const processes = await list();
  const found = await Promise.all(
    processes.map(async ({ pid }) => {
      if (pid === process.pid) return null;
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return folder.startsWith(mark) || environment.includes(mark) ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}

/** Every process that is alive; one that has ended and waits for its parent is not. */
async function list(): Promise<readonly Process[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    names.map(async (name) => {
      const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
      // proc(5): the name stands in parentheses and may itself hold any character.
      const close = stat.lastIndexOf(')');
      const [state, parent] = stat.slice(close + 2).split(' ');
      if (close < 0 || state === 'Z' || state === 'X') return null;
      return { pid: Number(name), parent: Number(parent), name: stat.slice(stat.indexOf('(') + 1, close) };
    }),
  );
  return found.filter((one) => one !== null);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
