import { createHash } from 'node:crypto';
import { canonicalName } from './name.ts';
import type { Distribution, Missing, Wanted, WorkingSet } from './working-set.ts';

/** A distribution as a lock has it: without an address where it came out of a folder. */
export interface LockedPackage extends Omit<Distribution, 'url'> {
  readonly url: string | null;
}

/** A working set to be had again, on another day and without an index. */
export interface Lock {
  readonly version: 1;
  readonly python: string;
  readonly platform: string;
  readonly glibc: string;
  /** What it was resolved from, as `sha256:` and a digest: see `inputsOf`. */
  readonly inputs: string;
  readonly picked: readonly string[];
  readonly missing: readonly Missing[];
  /** Sorted by name. */
  readonly packages: readonly LockedPackage[];
}

/** The lock of a working set and of what it was resolved from. */
export function lockOf(set: WorkingSet, wanted: Wanted): Lock {
  const { target, distributions, picked, missing } = set;
  return {
    version: 1,
    python: target.pythonVersion,
    platform: target.platform,
    glibc: target.glibc,
    inputs: inputsOf(wanted, namesOf(distributions, missing)),
    picked,
    missing,
    packages: distributions.map((one) => ({ ...one, url: one.url.startsWith('file:') ? null : one.url })),
  };
}

/** The text of a lock: always the same for the same lock, a line for each thing that people look at. */
export function formatLock(lock: Lock): string {
  const { version, python, platform, glibc, inputs, picked, missing, packages } = lock;
  const content = {
    version,
    python,
    platform,
    glibc,
    inputs,
    picked,
    ...(missing.length === 0
      ? {}
      : {
          missing: missing.map(({ name, requirement, reason, requiredBy }) => ({
            name,
            requirement,
            reason,
            requiredBy,
          })),
        }),
    packages: packages.map((one) => ({
      name: one.name,
      version: one.version,
      kind: one.kind,
      file: one.file,
      sha256: one.sha256,
      ...(one.url === null ? {} : { url: one.url }),
      ...(one.extras.length === 0 ? {} : { extras: one.extras }),
      requires: one.requires,
      requiredBy: one.requiredBy,
    })),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * A digest of all that resolving depends on. Pins and constraints of projects that were never met do not count: changing
 * them changes nothing.
 */
export function inputsOf(wanted: Wanted, names: ReadonlySet<string>): string {
  const pins = new Map([...wanted.pins].map(([name, version]) => [canonicalName(name), version.trim()]));
  const met = [...pins].filter(([name, version]) => names.has(name) && version !== '');
  const constraints = (wanted.constraints ?? []).map((line) => line.trim());
  const content = {
    requirements: wanted.requirements.map((text) => text.trim()),
    pins: met.sort(([left], [right]) => (left < right ? -1 : 1)),
    constraints: constraints.filter((line) => names.has(canonicalName(/^[a-z0-9._-]+/i.exec(line)?.[0] ?? ''))).sort(),
    preferFinal: wanted.preferFinal,
    allowUnknownExtras: wanted.allowUnknownExtras ?? false,
    python: wanted.target.pythonVersion,
    platform: wanted.target.platform,
    glibc: wanted.target.glibc,
  };
  return `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;
}

/** Whether a lock is still what resolving would begin with; an index that has newer versions does not make it old. */
export function isCurrent(lock: Lock, wanted: Wanted): boolean {
  if (!wanted.allowPicked && lock.picked.length > 0) return false;
  return lock.inputs === inputsOf(wanted, namesOf(lock.packages, lock.missing));
}

function namesOf(packages: readonly { readonly name: string }[], missing: readonly Missing[]): ReadonlySet<string> {
  return new Set([...packages, ...missing].map(({ name }) => name));
}
