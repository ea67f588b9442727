import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { OciPloneError } from '../errors.ts';

const LARGEST_ARCHIVE = 2 * 1024 * 1024 * 1024;

/**
 * The wanted files of a `.tar.gz`, in one pass.
 *
 * @param file - its name, for errors: in the cache it has another one
 * @param limit - how many bytes a wanted file may have
 * @throws INPUT_MALFORMED for what is no such archive, INPUT_REFUSED for unsafe names and bombs
 */
export async function readTarMembers(
  path: string,
  file: string,
  isWanted: (name: string) => boolean,
  limit: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const members = new Map<string, Uint8Array>();
  const archive = extract();
  let total = 0;
  const read = async (): Promise<void> => {
    for await (const entry of archive) {
      const { name, size, type } = entry.header;
      assertSafe(name, file);
      total += size;
      const keep = type === 'file' && isWanted(name);
      if (total > LARGEST_ARCHIVE || (keep && size > limit))
        throw new OciPloneError('INPUT_REFUSED', `${file} unpacks to more than it may: ${name}`);
      const parts: Uint8Array[] = [];
      for await (const part of entry) if (keep && part instanceof Uint8Array) parts.push(part);
      if (keep) members.set(name, Buffer.concat(parts));
    }
  };
  try {
    await Promise.all([pipeline(createReadStream(path), createGunzip(), archive), read()]);
  } catch (error) {
    if (error instanceof OciPloneError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new OciPloneError('INPUT_MALFORMED', `${file} is not a .tar.gz as it should be: ${reason}`, {
      hint: 'Pin another version of it in [versions], or put a wheel of it into a find-links folder.',
      cause: error,
    });
  }
  return members;
}

function assertSafe(name: string, file: string): void {
  if (!name.startsWith('/') && !name.split('/').includes('..')) return;
  throw new OciPloneError('INPUT_REFUSED', `${file} holds a file with an unsafe name, ${JSON.stringify(name)}`, {
    hint: 'Do not use this file: unpacking it would write outside its own folder.',
  });
}
