import { existsSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { Stage } from '../layout/stage.ts';
import { isWithin } from '../plone/mapping.ts';
import { BACKUP, type InstancePlan, type PlannedFile } from '../plone/plan.ts';
import { sameTree, writeFolder, writePlanned } from './instance-write.ts';

export interface InPlaceOptions {
  readonly folder: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Does what a plan says within the buildout's folder. What was there is kept as `parts/instance.orig` and `FILE.orig`;
 * a failure on the way puts it back. Returns the backups, relative to the folder.
 *
 * @throws OciPloneError LOCAL_IO where a backup of something else is there
 */
export function writeInPlace(plan: InstancePlan, { folder, signal }: InPlaceOptions): readonly string[] {
  const { home, files, folders, links } = plan;
  const inHome = (path: string): boolean => isWithin(path, home);
  const changed = files.filter(({ path, text, before }) => text !== null && text !== before && !inHome(path));
  const homeChanges =
    plan.removed.length > 0 || files.some(({ path, text, before }) => inHome(path) && text !== null && text !== before);
  const backedUp = [...(homeChanges ? [home] : []), ...changed.filter(({ before }) => before !== null).map(pathOf)];
  for (const path of backedUp) assertBackup(folder, path);

  const stage = Stage.open(join(folder, home));
  const undo: (() => void)[] = [];
  try {
    const fresh = join(stage.folder, 'fresh');
    const fromFolder = { from: folder, to: fresh };
    writePlanned(
      {
        files: [...(homeChanges ? files.filter(({ path }) => inHome(path)) : []), ...changed],
        folders: homeChanges ? folders.filter(({ path }) => inHome(path)) : [],
        links: homeChanges ? links.filter(({ path }) => inHome(path)) : [],
      },
      { ...fromFolder, signal },
    );
    for (const planned of folders) {
      if (inHome(planned.path) || existsSync(join(folder, planned.path))) continue;
      writeFolder(planned, { from: folder, to: folder });
    }
    const swap = (path: string): void => {
      const place = join(folder, path);
      const backup = existsSync(place + BACKUP) ? join(stage.folder, `same-${undo.length}`) : place + BACKUP;
      if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) {
        renameSync(place, backup);
        undo.push(() => renameSync(backup, place));
      }
      renameSync(join(fresh, path), place);
      undo.push(() => rmSync(place, { recursive: true, force: true }));
    };
    for (const { path } of changed) swap(path);
    // Last, since it is what says that the rest is done.
    if (homeChanges) swap(home);
    return backedUp.map((path) => path + BACKUP);
  } catch (error) {
    for (const back of undo.reverse()) back();
    throw error;
  } finally {
    stage.close();
  }
}

function assertBackup(folder: string, path: string): void {
  const place = join(folder, path);
  if (lstatSync(place + BACKUP, { throwIfNoEntry: false }) === undefined || sameTree(place, place + BACKUP)) return;
  throw new OciPloneError('LOCAL_IO', `${place}${BACKUP}: a backup of something else is there`, {
    hint: 'Move it away first, or write a copy with -o.',
  });
}

function pathOf({ path }: PlannedFile): string {
  return path;
}
