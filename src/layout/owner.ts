import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Who holds a lock or a temporary folder, as a word that fits into a file's name and that a later process can judge after
 * a kill -9: `boot.namespace.pid.start`. A process number alone is not enough: numbers are used again, and containers
 * that share a volume each have their own.
 */
export function ownerTag(): string {
  return [bootId(), pidNamespace(), process.pid, startOf(process.pid) ?? 0].join('.');
}

/**
 * Whether whoever a tag names is surely gone. Of another container, whose processes can't be seen, nothing is sure: what
 * it left is left to time.
 */
export function ownerIsGone(tag: string): boolean {
  const [boot, namespace, pid, start] = tag.split('.');
  if (start === undefined) return false;
  if (boot !== bootId()) return true;
  if (namespace !== pidNamespace()) return false;
  return startOf(Number(pid)) !== start;
}

function bootId(): string {
  return read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)) ?? '0';
}

function pidNamespace(): string {
  return read(() => readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')) ?? '0';
}

/**
 * Clock ticks since boot at which a process began: field 22 of /proc/PID/stat (proc(5)). Null without such a process, or
 * where it is dead and only not yet waited for, as happens in containers without an init.
 */
function startOf(pid: number): string | null {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const [state = '', ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return state === 'Z' || state === 'X' ? null : (fields[18] ?? null);
}

function read(get: () => string): string | null {
  try {
    return get();
  } catch {
    return null;
  }
}
