import { open } from 'node:fs/promises';
import { localError, OciPloneError, systemCode } from '../errors.ts';
import { discard } from '../http/get.ts';
import type { HttpResponse } from '../http/get.ts';
import { collectBody } from './body.ts';
import type { Fetcher } from './fetcher.ts';

/** A file whose parts can be read in any order. */
export interface ByteSource {
  /** For errors. */
  readonly name: string;
  readonly size: number;
  /** Exactly the bytes from `start` to before `end`. */
  readonly read: (start: number, end: number) => Promise<Uint8Array>;
}

/** The error for a file on disk that cannot be read: INPUT_ABSENT where it is not there, else LOCAL_IO. */
export function unreadable(path: string, error: unknown): OciPloneError {
  if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return localError(`reading ${path}`, error);
  return new OciPloneError('INPUT_ABSENT', `${path} does not exist`, { cause: error });
}

/**
 * Runs a task over a file on disk.
 *
 * @throws INPUT_ABSENT or LOCAL_IO where it cannot be read
 */
export async function withFile<T>(path: string, task: (source: ByteSource) => Promise<T>): Promise<T> {
  const handle = await open(path).catch((error: unknown) => {
    throw unreadable(path, error);
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

/** Of most wheels the last so many bytes hold the directory and METADATA: one request. */
const TAIL = 24 * 1024;
/** What is read along in front of a range: METADATA stands just before the directory. */
const AHEAD = 16 * 1024;
const LARGEST_RANGE = 64 * 1024 * 1024;

interface Chunk {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * A remote file, read by ranges (RFC 9110, 14). Null where the server does not serve them.
 *
 * @param size - the file's size if the index told it, else null
 * @throws REGISTRY, NETWORK, AUTHENTICATION
 */
export async function openRanges(
  fetcher: Fetcher,
  file: { readonly file: string; readonly url: string; readonly size: number | null },
): Promise<ByteSource | null> {
  const { url, size } = file;
  const range = size === null ? `-${TAIL}` : `${Math.max(0, size - TAIL)}-${size - 1}`;
  const accepts = [206, 400, 416, 501];
  const tail = await fetcher.ask(url, { headers: { range: `bytes=${range}` }, accepts }, readRange);
  if (tail === null || tail.total === null || tail.start + tail.bytes.length !== tail.total) return null;
  const total = tail.total;
  const chunks: Chunk[] = [tail];
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    if (start < 0 || end > total || start > end)
      throw new OciPloneError('INPUT_MALFORMED', `${file.file} is cut off: it has ${total} bytes and needs ${end}`);
    const held = chunks.find((chunk) => chunk.start <= start && end <= chunk.start + chunk.bytes.length);
    const chunk = held ?? (await fetchRange(fetcher, url, Math.max(0, start - AHEAD), end));
    if (held === undefined) chunks.push(chunk);
    return chunk.bytes.subarray(start - chunk.start, end - chunk.start);
  };
  return { name: file.file, size: total, read };
}

async function fetchRange(fetcher: Fetcher, url: string, start: number, end: number): Promise<Chunk> {
  const headers = { range: `bytes=${start}-${end - 1}` };
  const chunk = await fetcher.ask(url, { headers, accepts: [206] }, readRange);
  if (chunk === null || chunk.start !== start || chunk.bytes.length !== end - start)
    throw new OciPloneError('REGISTRY', `${url}: asked for the bytes ${start} to ${end}, got others`);
  return chunk;
}

async function readRange(response: HttpResponse): Promise<(Chunk & { readonly total: number | null }) | null> {
  const [, start, end, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '') ?? [];
  if (response.status !== 206 || start === undefined || end === undefined) {
    await discard(response.body);
    return null;
  }
  const bytes = await collectBody(response, LARGEST_RANGE, Number(end) - Number(start) + 1);
  return { start: Number(start), bytes, total: total === undefined || total === '*' ? null : Number(total) };
}
