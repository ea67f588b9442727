import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { OciPloneError, localError } from '../errors.ts';

/** Throws LOCAL_IO where a folder is there that is no layout: to be asked before long work begins. */
export function assertUsable(folder: string): void {
  try {
    isNew(folder);
  } catch (error) {
    throw localError(`cannot write the layout ${folder}`, error);
  }
}

/** Whether a layout is still to be made there. Throws LOCAL_IO where something else is there. */
export function isNew(folder: string): boolean {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  if (stats.isDirectory() && readdirSync(folder).length === 0) return true;
  if (stats.isDirectory() && existsSync(join(folder, 'oci-layout'))) return false;
  throw new OciPloneError('LOCAL_IO', `${folder}: is there and is not an image layout`, {
    hint: 'Choose another output, or remove it.',
  });
}
