import { dirname, isAbsolute, resolve } from 'node:path';
import { isUrl } from './origin.ts';

/** `os.path.join`, which leaves `./` and `..` as they are; Node's would not, and `bin-directory` would be another text. */
export function joinPath(folder: string, name: string): string {
  if (isAbsolute(name) || folder === '') return name;
  return folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;
}

/** `os.path.expanduser`, for `~` and `~/…`; without a home the text stays. */
export function expandUser(path: string, home: string | undefined): string {
  if (home === undefined || home === '' || (path !== '~' && !path.startsWith('~/'))) return path;
  return joinPath(home.replace(/\/+$/, '') || '/', path.slice(2)).replace(/(.)\/$/, '$1');
}

/** The folder or URL that names in a file are relative to. */
export function baseOf(location: string): string {
  return isUrl(location) ? location.slice(0, location.lastIndexOf('/')) : dirname(location);
}

/** What a name in `extends` means in a file of that base. A name with a scheme or a leading `/` means itself. */
export function locate(base: string, name: string): string {
  if (isUrl(name) || isAbsolute(name)) return name;
  return isUrl(base) ? `${base}/${name}` : joinPath(base, name);
}

/** The folder of a user's own defaults, or null where neither variable is set. */
export function userConfig(env: Readonly<Record<string, string | undefined>>): string | null {
  const home = env['HOME'];
  const folder = env['BUILDOUT_HOME'] ?? (home === undefined || home === '' ? null : joinPath(home, '.buildout'));
  return folder === null ? null : resolve(joinPath(folder, 'default.cfg'));
}
