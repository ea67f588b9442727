import { lstatSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OciPloneError, localError, systemCode } from '../errors.ts';
import type { InstanceSource } from '../plone/instance-source.ts';

/** A buildout's folder on this machine. Throws INPUT_ABSENT where there is none. */
export function diskSource(folder: string): InstanceSource {
  const given = resolve(folder);
  const path = (local: string): string => join(given, local);
  return {
    names: [given, realPath(given)],
    kind: (local) => {
      const stats = reading(path(local), () => lstatSync(path(local), { throwIfNoEntry: false }));
      if (stats?.isFile() === true) return 'file';
      if (stats?.isDirectory() === true || (local === '' && stats !== undefined)) return 'folder';
      return stats?.isSymbolicLink() === true ? 'link' : null;
    },
    read: (local) => textOf(path(local)),
    list: (local) => reading(path(local), () => readdirSync(path(local))).sort(),
    target: (local) => reading(path(local), () => readlinkSync(path(local))),
  };
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error))) throw localError(`cannot read ${folder}`, error);
    throw new OciPloneError('INPUT_ABSENT', `${folder} is not there`, { hint: 'Name the folder of a buildout.' });
  }
}

/** Python reads its configurations as UTF-8; what is none would come out changed. */
function textOf(path: string): string {
  const bytes = reading(path, () => readFileSync(path));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new OciPloneError('INPUT_MALFORMED', `${path} is not UTF-8`, { cause: error });
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR')
      throw new OciPloneError('INPUT_ABSENT', `${path} is not there`, { hint: 'Name the folder of a buildout.' });
    throw localError(`cannot read ${path}`, error);
  }
}
