import { lstatSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OciPloneError, localError, systemCode } from '../errors.ts';
import { BUILDOUT } from '../plone/instance-request.ts';
import { isWithin } from '../plone/mapping.ts';
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

/** An instance that was made in a build, within the buildout's folder, of which nothing else is known but what it names. */
export interface BakedSource extends InstanceSource {
  readonly onDisk: (path: string) => string;
}

/**
 * The folder of a buildout as if its part had just been installed there: the part is what was made, everything else the
 * user's own. The folder itself seems empty: what nobody names, such as a `.env` with passwords, stays where it is.
 */
export function bakedSource({
  made,
  part,
  directory,
}: {
  readonly made: string;
  readonly part: string;
  readonly directory: string;
}): BakedSource {
  const home = `parts/${part}`;
  const [instance, user] = [diskSource(made), diskSource(directory)];
  const inPart = (path: string): string | null => (isWithin(path, home) ? path.slice(home.length + 1) : null);
  const at = <T>(path: string, use: (source: InstanceSource, path: string) => T): T => {
    const own = inPart(path);
    return own === null ? use(user, path) : use(instance, own);
  };
  return {
    names: [BUILDOUT, ...user.names],
    kind: (path) => (path === `bin/${part}` ? null : at(path, (source, own) => source.kind(own))),
    read: (path) => at(path, (source, own) => source.read(own)),
    list: (path) => (path === '' ? [] : at(path, (source, own) => source.list(own))),
    target: (path) => at(path, (source, own) => source.target(own)),
    onDisk: (path) => join(inPart(path) === null ? directory : made, inPart(path) ?? path),
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
