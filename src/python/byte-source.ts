import { open } from 'node:fs/promises';
import { localError, OciPloneError } from '../errors.ts';

/** A file whose parts can be read in any order. */
export interface ByteSource {
  /** For errors. */
  readonly name: string;
  readonly size: number;
  /** Exactly the bytes from `start` to before `end`. */
  readonly read: (start: number, end: number) => Promise<Uint8Array>;
}

/**
 * Runs a task over a file on disk.
 *
 * @throws INPUT_ABSENT or LOCAL_IO where it cannot be read
 */
export async function withFile<T>(path: string, task: (source: ByteSource) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((error: unknown) => {
    throw localError(`opening ${path}`, error);
  });
  try {
    const { size } = await handle.stat();
    const read = async (start: number, end: number): Promise<Uint8Array> => {
      const bytes = Buffer.alloc(end - start);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length)
        throw new OciPloneError('INPUT_MALFORMED', `${path} ends at byte ${start + bytesRead}, before byte ${end}`);
      return bytes;
    };
    return await task({ name: path.slice(path.lastIndexOf('/') + 1), size, read });
  } finally {
    await handle.close();
  }
}
