import { resolve } from 'node:path';
import { OciPloneError } from '../errors.ts';
import type { Nixpkgs } from '../nix/expressions/working-set.ts';

/**
 * Reads `--nixpkgs`: `URL#HASH`, or a folder; `<nixpkgs>` where it was not given.
 *
 * @throws USAGE for an address without a hash
 */
export function readNixpkgs(text: string | undefined): Nixpkgs {
  if (text === undefined) return { kind: 'search-path' };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { kind: 'folder', path: resolve(text) };
  const hash = text.indexOf('#');
  const sha256 = hash === -1 ? '' : text.slice(hash + 1).replace(/^sha256[=:]/, '');
  if (sha256 !== '') return { kind: 'pinned', url: text.slice(0, hash), sha256 };
  throw new OciPloneError('USAGE', `"--nixpkgs" expected URL#HASH or a folder, got ${JSON.stringify(text)}`, {
    hint: 'nix-prefetch-url --unpack URL prints the hash.',
  });
}

/** An expression for the packages. A JSON text is a Nix one once `$` is escaped. */
export function importOf(nixpkgs: Nixpkgs): string {
  const quote = (text: string): string => JSON.stringify(text).replaceAll('$', '\\$');
  switch (nixpkgs.kind) {
    case 'search-path':
      return 'import <nixpkgs> { }';
    case 'folder':
      return `import ${quote(nixpkgs.path)} { }`;
    case 'pinned':
      return `import (fetchTarball { url = ${quote(nixpkgs.url)}; sha256 = ${quote(nixpkgs.sha256)}; }) { }`;
  }
}
