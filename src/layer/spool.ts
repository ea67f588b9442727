import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { localError } from '../errors.ts';
import { readRange } from './read-range.ts';
import type { Contents } from './entry-index.ts';

/** A spool that is filled while an archive is decompressed. Its file has no name, so that no kill can leave it behind. */
export interface Spool extends Contents {
  append(piece: Uint8Array): void;
  close(): void;
}

export function openSpool(folder: string): Spool {
  const fd = openUnnamed(folder);
  return {
    read: (start, size, room) => readRange(fd, { start, size, path: `the spooled archive in ${folder}` }, room),
    append(piece) {
      try {
        for (let done = 0; done < piece.length;) done += writeSync(fd, piece, done);
      } catch (error) {
        throw localError(`cannot spool the archive in ${folder}`, error);
      }
    },
    close: () => closeSync(fd),
  };
}

function openUnnamed(folder: string): number {
  try {
    const private700 = mkdtempSync(join(folder, '.oci-plone-spool-'));
    const fd = openSync(join(private700, 'tar'), 'wx+', 0o600);
    rmSync(private700, { recursive: true });
    return fd;
  } catch (error) {
    throw localError(`cannot spool the archive in ${folder}`, error);
  }
}
