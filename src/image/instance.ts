import { readdirSync, renameSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { OciPloneError, localError, throwIfAborted } from '../errors.ts';
import { Stage } from '../layout/stage.ts';
import type { InstancePlan } from '../plone/plan.ts';
import { planInstance } from '../plone/plan-instance.ts';
import type { Leftover, Warning } from '../plone/rewritten.ts';
import { planDiff } from './instance-diff.ts';
import { writeInPlace } from './instance-in-place.ts';
import { diskSource } from './instance-source.ts';
import { writePlanned } from './instance-write.ts';
import { usage } from './options.ts';

export interface InstanceOptions {
  /** A buildout's folder with `parts/instance`. */
  readonly folder: string;
  /** Where the copy is written. Default: the folder's name with `.instance`, in the current folder. */
  readonly output?: string | undefined;
  /** Rewrite the folder itself, and keep what was there as `*.orig`. @default false */
  readonly inPlace?: boolean | undefined;
  /** Write nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Where the container has the folder. @default '/opt' */
  readonly mount?: string | undefined;
  /** The name of the instance's part. @default 'instance' */
  readonly part?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface InstanceResult {
  /** What was written, or would be: the copy, or the folder itself. */
  readonly folder: string;
  readonly mount: string;
  /** `wsgi` since plone.recipe.zope2instance 6; `zserver` for Zope 2.13. */
  readonly era: 'wsgi' | 'zserver';
  /** Files whose text is new, relative to the folder, sorted. */
  readonly changed: readonly string[];
  /** Files that are left out. */
  readonly removed: readonly string[];
  /** What `inPlace` kept. */
  readonly backups: readonly string[];
  readonly warnings: readonly Warning[];
  /** Absolute paths that mean nothing in the container. */
  readonly leftovers: readonly Leftover[];
  /** A unified diff of all that is new, passwords masked; null unless `dryRun`. */
  readonly diff: string | null;
}

/**
 * Makes a buildout's folder fit for a container that has it mounted, as the article did by hand: configuration with the
 * container's paths, no site.py, the folders that Zope needs, and `instance.py` to start it.
 *
 * @throws OciPloneError INPUT_ABSENT for a folder without the part, LOCAL_IO where the output or a backup is in the way
 */
export async function instance(options: InstanceOptions): Promise<InstanceResult> {
  const { signal, inPlace = false, dryRun = false, part = 'instance' } = options;
  const mount = mountOf(options.mount ?? '/opt');
  if (!/^[^/\0]+$/.test(part) || part.startsWith('.')) throw usage('part', 'the name of a part', part);
  if (inPlace && options.output !== undefined) throw usage('inPlace', 'no output beside it', options.output);
  throwIfAborted(signal);
  const folder = resolve(options.folder);
  const source = diskSource(folder);
  const plan = planInstance(source, { mount, part });
  const output = inPlace ? folder : resolve(options.output ?? `${basename(folder)}.instance`);
  if (!inPlace) assertFree(output);

  const backups = dryRun ? [] : await write(plan, { folder, output, inPlace, signal });
  return {
    folder: output,
    mount,
    era: plan.era,
    changed: plan.files.filter(({ text, before }) => text !== null && text !== before).map(({ path }) => path),
    removed: plan.removed,
    backups,
    warnings: inPlace ? plan.warnings : [...plan.warnings, ...plan.copyWarnings],
    leftovers: plan.leftovers,
    diff: dryRun ? planDiff(plan, source.read) : null,
  };
}

async function write(
  plan: InstancePlan,
  {
    folder,
    output,
    inPlace,
    signal,
  }: { folder: string; output: string; inPlace: boolean; signal: AbortSignal | undefined },
): Promise<readonly string[]> {
  try {
    if (inPlace) return writeInPlace(plan, { folder, signal });
    const stage = Stage.open(output);
    try {
      const copy = join(stage.folder, 'instance');
      writePlanned(plan, { from: folder, to: copy, signal });
      throwIfAborted(signal);
      renameSync(copy, output);
    } finally {
      stage.close();
    }
    return [];
  } catch (error) {
    throw localError(`cannot write ${output}`, error);
  }
}

function mountOf(mount: string): string {
  if (!/^\/[^/\0\n]+(\/[^/\0\n]+)*\/?$/.test(mount) || /\/\.\.?(\/|$)/.test(mount))
    throw usage('mount', 'an absolute path of a folder', mount);
  return mount.replace(/\/$/, '');
}

function assertFree(output: string): void {
  const stats = statSync(output, { throwIfNoEntry: false });
  if (stats === undefined || (stats.isDirectory() && readdirSync(output).length === 0)) return;
  throw new OciPloneError('LOCAL_IO', `${output}: is there already`, { hint: 'Choose another output, or remove it.' });
}
