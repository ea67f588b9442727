import { realpath } from 'node:fs/promises';
import { dirname, basename, join } from 'node:path';

/** Whether an absolute, normalised path is a folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** The real path of something that exists, or as much of it as does. */
export async function realpathOfWhatExists(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realpathOfWhatExists(parent), basename(path));
  }
}
