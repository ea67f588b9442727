import { readSync } from 'node:fs';
import { OciPloneError, localError, systemCode } from '../errors.ts';
import { CHUNK_BYTES, type Room } from './tree.ts';

/** A part of an open file. */
export interface FileRange {
  /** Bytes before it. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** What the file is called in messages. */
  readonly path: string;
}

/** For whoever has no room: files are read one after the other, and a promise for each of 26,000 small ones costs ten times as much. */
const chunk = new Uint8Array(CHUNK_BYTES);
const ownRoom: Room = () => chunk;

/**
 * The bytes of a range, put into as many rooms as they need; without any, each piece is overwritten by the next one. Throws
 * INPUT_MALFORMED where the file ends before.
 */
export function readRange(fd: number, range: FileRange, room: Room = ownRoom): Iterable<Uint8Array> {
  const { start, size, path } = range;
  const first = room();
  // Nearly every file is small, and one that is read at once needs no generator, which V8 keeps for long.
  return size <= first.length ? [filled(fd, start, first.subarray(0, size), path)] : pieces(fd, range, room);
}

function* pieces(fd: number, { start, size, path }: FileRange, room: Room): Iterable<Uint8Array> {
  for (let done = 0; done < size;) {
    const piece = room().subarray(0, Math.min(CHUNK_BYTES, size - done));
    yield filled(fd, start + done, piece, path);
    done += piece.length;
  }
}

function filled(fd: number, start: number, piece: Uint8Array, path: string): Uint8Array {
  for (let done = 0; done < piece.length;) {
    const got = readable(path, () => readSync(fd, piece, done, piece.length - done, start + done));
    if (got === 0) throw changed(path);
    done += got;
  }
  return piece;
}

/** What the system says where a path no longer leads to what was there. */
const CHANGED: ReadonlySet<string> = new Set(['ENOENT', 'EISDIR', 'ELOOP', 'ENXIO']);

/** Says of what the system refuses whether it is this user's rights, this machine, or that somebody writes there. */
export function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (CHANGED.has(systemCode(error))) throw changed(path);
    if (systemCode(error) === 'EACCES') throw new OciPloneError('INPUT_ABSENT', `${path}: not readable by this user`);
    throw localError(`cannot read ${path}`, error);
  }
}

export function changed(path: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${path}: changed while it was read`, {
    hint: 'Pack again once nothing writes to it any more.',
  });
}
