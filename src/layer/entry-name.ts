import { OciPloneError } from '../errors.ts';

/** As long as a name may be on Linux (NAME_MAX), in bytes. */
const MAX_NAME_BYTES = 255;

/** As long as a path may be on Linux (PATH_MAX), in bytes. */
const MAX_PATH_BYTES = 4096;

/**
 * The folders and the name of an archive's entry, without `./`, leading or trailing slashes. Throws INPUT_REFUSED for
 * what can't be in a layer: `..`, a whiteout (image specification, layer.md "Whiteouts"), a name that is not UTF-8. The
 * root itself is an empty list.
 */
export function entryName(name: string, where: string): readonly string[] {
  if (isLonger(name, MAX_PATH_BYTES)) throw refused(where, name, `a path of over ${MAX_PATH_BYTES} bytes`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  for (const part of parts) {
    if (part === '..') throw refused(where, name, '".." could leave the image');
    if (part.startsWith('.wh.'))
      throw refused(where, name, 'a name that begins with ".wh." deletes files of lower layers');
    if (part.includes('\ufffd')) throw refused(where, name, 'not a name in UTF-8');
    if (part.includes('\0')) throw refused(where, name, 'a name with a zero byte');
    if (isLonger(part, MAX_NAME_BYTES)) throw refused(where, name, `a name of over ${MAX_NAME_BYTES} bytes`);
  }
  return parts;
}

/** In bytes, which are three times its length at most: so they are rarely counted. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

export function refused(where: string, name: string, why: string): OciPloneError {
  return new OciPloneError('INPUT_REFUSED', `${where}: entry ${JSON.stringify(shortened(name))}: ${why}`);
}

function shortened(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
