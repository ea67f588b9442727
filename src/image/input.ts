import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { OciPloneError } from '../errors.ts';

export type Input =
  | { readonly kind: 'expression'; readonly file: string }
  /** A path in a store: `/nix/store/…`, or as it stands on disk in a chroot store. */
  | { readonly kind: 'store'; readonly path: string }
  | { readonly kind: 'archive'; readonly source: string | Readable };

const STORE_PATH = /\/nix\/store\/[0-9a-z]{32}-[^/]+(\/|$)/;
const MAX_LINKS = 40;

/** Says what an input is: expressions by name, store paths by where a link leads, everything else an archive. */
export function inputKind(input: string | Readable): Input {
  if (typeof input !== 'string') return { kind: 'archive', source: input };
  if (input.endsWith('.nix')) return { kind: 'expression', file: existing(input) };
  const target = followLinks(input);
  if (STORE_PATH.test(target)) return { kind: 'store', path: target };
  const stats = statSync(input, { throwIfNoEntry: false });
  if (stats === undefined) throw new OciPloneError('INPUT_ABSENT', `${input}: no such file`);
  if (stats.isDirectory())
    throw new OciPloneError('INPUT_MALFORMED', `${input}: a folder that is not a store path`, {
      hint: 'Give a Nix expression (*.nix), a store path or link to one, or a tarball that holds /nix.',
    });
  return { kind: 'archive', source: input };
}

function existing(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) throw new OciPloneError('INPUT_ABSENT', `${file}: no such file`);
  if (stats.isDirectory())
    throw new OciPloneError('INPUT_MALFORMED', `${file}: a folder`, { hint: `Give ${file}/default.nix.` });
  return resolve(file);
}

/** One link at a time, not realpath: the link of a chroot store leads to /nix/store, which is elsewhere on disk. */
function followLinks(path: string): string {
  let current = resolve(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    if (STORE_PATH.test(current)) return current;
    if (lstatSync(current, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return current;
    current = resolve(dirname(current), readlinkSync(current));
  }
  throw new OciPloneError('INPUT_MALFORMED', `${path}: a loop of symbolic links`);
}
