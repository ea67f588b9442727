import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { OciPloneError, localError, systemCode } from '../errors.ts';
import { lstatInput, notReadable, statInput } from '../layer/stat-input.ts';

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
  const stats = statInput(input);
  if (stats === undefined) throw new OciPloneError('INPUT_ABSENT', `${input}: no such file`);
  if (stats.isDirectory())
    throw new OciPloneError('INPUT_MALFORMED', `${input}: a folder that is not a store path`, {
      hint: 'Give a Nix expression (*.nix), a store path or link to one, or a tarball that holds /nix.',
    });
  return { kind: 'archive', source: input };
}

function existing(file: string): string {
  const stats = statInput(file);
  if (stats === undefined) throw new OciPloneError('INPUT_ABSENT', `${file}: no such file`);
  if (stats.isDirectory())
    throw new OciPloneError('INPUT_MALFORMED', `${file}: a folder`, { hint: `Give ${file}/default.nix.` });
  assertReadable(file);
  return resolve(file);
}

/** Nix would say so, too, but as its own failure. */
function assertReadable(file: string): void {
  try {
    // Without waiting for a writer, should it be a FIFO.
    closeSync(openSync(file, constants.O_RDONLY | constants.O_NONBLOCK));
  } catch (error) {
    throw systemCode(error) === 'EACCES' ? notReadable(file, error) : localError(`cannot open ${file}`, error);
  }
}

/** One link at a time, not realpath: the link of a chroot store leads to /nix/store, which is elsewhere on disk. */
function followLinks(path: string): string {
  let current = resolve(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    if (STORE_PATH.test(current)) return current;
    if (lstatInput(current)?.isSymbolicLink() !== true) return current;
    current = resolve(dirname(current), readlinkSync(current));
  }
  throw new OciPloneError('INPUT_MALFORMED', `${path}: a loop of symbolic links`);
}
