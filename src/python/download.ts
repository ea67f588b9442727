import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { localError, OciPloneError } from '../errors.ts';
import { readBody } from './body.ts';
import { unreadable } from './byte-source.ts';
import type { Fetcher } from './fetcher.ts';
import type { FileHash } from './index-file.ts';

/** A file to be had, and how to know that it is the right one. */
export interface Wanted {
  readonly file: string;
  /** `https:`, `http:` or `file:`. */
  readonly url: string;
  readonly hash: FileHash | null;
  readonly size: number | null;
}

const LARGEST_FILE = 4 * 1024 * 1024 * 1024;

/**
 * Fetches a file to a path: into a temporary file beside it, checked while it streams, then renamed. Gives its SHA-256.
 *
 * @throws DIGEST_MISMATCH, NETWORK, REGISTRY, AUTHENTICATION, INPUT_ABSENT, LOCAL_IO, ABORTED
 */
export async function downloadFile(wanted: Wanted, path: string, fetcher: Fetcher): Promise<string> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const save = async (parts: AsyncIterable<Uint8Array>): Promise<string> => {
      const handle = await open(temporary, 'w').catch((error: unknown) => {
        throw localError(`writing ${temporary}`, error);
      });
      try {
        return await writeParts(parts, handle, wanted);
      } finally {
        await handle.close();
      }
    };
    const sha256 = wanted.url.startsWith('file:')
      ? await save(partsOf(fileURLToPath(wanted.url)))
      : await fetcher.ask(wanted.url, {}, async (response) => save(readBody(response, LARGEST_FILE, wanted.size)));
    await rename(temporary, path);
    return sha256;
  } catch (error) {
    await rm(temporary, { force: true });
    throw localError(`downloading ${wanted.file}`, error);
  }
}

async function writeParts(parts: AsyncIterable<Uint8Array>, handle: FileHandle, wanted: Wanted): Promise<string> {
  const sha256 = createHash('sha256');
  const algorithm = wanted.hash?.algorithm ?? 'sha256';
  const other = algorithm === 'sha256' ? null : createHash(algorithm);
  for await (const part of parts) {
    sha256.update(part);
    other?.update(part);
    await handle.writeFile(part).catch((error: unknown) => {
      throw localError(`writing ${wanted.file}`, error);
    });
  }
  const digest = sha256.digest('hex');
  const got = other?.digest('hex') ?? digest;
  if (wanted.hash !== null && got !== wanted.hash.value) throw mismatch(wanted.file, algorithm, wanted.hash.value, got);
  return digest;
}

function mismatch(file: string, algorithm: string, expected: string, got: string): OciPloneError {
  return new OciPloneError('DIGEST_MISMATCH', `${file}: expected ${algorithm}:${expected}, got ${algorithm}:${got}`, {
    hint: 'The file is not the one that was locked, or that the index names: do not use it before you know why.',
  });
}

/**
 * The SHA-256 of a file on disk.
 *
 * @throws INPUT_ABSENT, LOCAL_IO
 */
export async function digestFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of partsOf(path)) hash.update(part);
  return hash.digest('hex');
}

async function* partsOf(path: string): AsyncGenerator<Uint8Array> {
  const file: AsyncIterable<Uint8Array> = createReadStream(path);
  try {
    yield* file;
  } catch (error) {
    throw unreadable(path, error);
  }
}
