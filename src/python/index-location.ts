import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where distributions are looked for. Addresses may carry a user and a password. */
export interface IndexLocation {
  /** Indexes: `https:`, `http:`, `file:`, or a folder. */
  readonly indexes: readonly string[];
  /** Folders, pages of links, single files: find-links. They are looked at first. */
  readonly findLinks: readonly string[];
}

/** The path that a `file:` URL or a plain path names, or null for other addresses. */
export function localPath(address: string, base: string): string | null {
  if (address.startsWith('file://')) {
    // zc.buildout cuts the scheme off, and so takes `file://relative` as well.
    return URL.canParse(address) && new URL(address).host === ''
      ? fileURLToPath(new URL(address))
      : resolve(base, address.slice(7));
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(address)) return null;
  return isAbsolute(address) ? address : resolve(base, address);
}

/** The path of a file that lies on this machine, or null for one that has to be asked for. */
export function pathOf(url: string): string | null {
  return url.startsWith('file:') ? fileURLToPath(url) : null;
}
