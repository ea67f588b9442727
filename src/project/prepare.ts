import { OciPloneError } from '../errors.ts';
import { readConstraints } from './constraints.ts';
import type { DevelopEgg } from './develop.ts';
import { findPart } from './find-part.ts';
import { lockedWorkingSet } from './locked.ts';
import type { Locked } from './locked.ts';
import { lockPath } from './lock-file.ts';
import { readNixPart } from './nix-part.ts';
import type { NixPart } from './nix-part.ts';
import type { ResolvingChoices } from './options.ts';
import type { Project } from './project.ts';
import { rootNames, wantedOf } from './wanted.ts';

/** A part with its working set: everything that expressions are written from. */
export interface Prepared {
  readonly part: NixPart;
  readonly locked: Locked;
  readonly lockFile: string;
  /** Canonical names. */
  readonly roots: readonly string[];
}

/**
 * Finds the part, reads it, and has its working set: from the lock, or resolved. Nothing is written yet.
 *
 * @throws USAGE, INPUT_ABSENT, INPUT_MALFORMED, INPUT_REFUSED, and what resolving throws
 */
export async function prepare(
  project: Project,
  choices: ResolvingChoices & { readonly shell?: boolean | undefined },
): Promise<Prepared> {
  const { buildout, file, target, onProgress } = project;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(file))
    throw new OciPloneError('USAGE', `${buildout.file} is an address, and a lock has to lie beside the buildout`, {
      hint: 'Write a file that extends it.',
    });
  const found = findPart(buildout, choices.part);
  const part = readNixPart(buildout, found);
  const lockFile = lockPath(file, found.isOnly ? null : found.section);
  const [develop, constraints] = [await developEggs(project), await readConstraints(project, part, choices)];
  const wanted = wantedOf(project, part, { constraints, shell: choices.shell ?? false });
  const locked = await lockedWorkingSet({ project, part, wanted, develop, choices, lockFile });
  const roots = rootNames(part.roots, develop, target);
  for (const { name, folder } of develop)
    onProgress?.({
      kind: 'note',
      text: `${name} is a develop egg (${folder}): what it requires is packed, itself it is not`,
    });
  for (const { name, reason } of locked.set.missing)
    onProgress?.({ kind: 'note', text: `${name} is missing: ${reason}` });
  return { part, locked, lockFile, roots };
}

/** Most buildouts have none, and then nothing is loaded that could read one. */
async function developEggs({ buildout, onProgress }: Project): Promise<readonly DevelopEgg[]> {
  if ((buildout.find('buildout', 'develop') ?? '').trim() === '') return [];
  const { readDevelopEggs } = await import('./develop.ts');
  return readDevelopEggs(buildout, onProgress);
}
