import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import zlib from 'node:zlib';
import { DEFAULT_LIMITS } from '../../src/layer/archive-limits.ts';
import { type Archive, type ArchiveOptions, readArchive } from '../../src/layer/read-archive.ts';
import { scratch } from './scratch.ts';
import { lines } from './trees.ts';

export type ReadOptions = Partial<Pick<ArchiveOptions, 'limits' | 'keep' | 'signal' | 'onProgress'>>;

/** Reads an archive for the time of `use`, and sees to it that its spool's folder is empty afterwards. */
export async function withArchive<T>(
  t: TestContext,
  input: string | Readable,
  options: ReadOptions,
  use: (archive: Archive) => T | Promise<T>,
): Promise<T> {
  const spoolFolder = scratch(t);
  try {
    const archive = await readArchive(input, { limits: DEFAULT_LIMITS, ...options, spoolFolder });
    assert.deepEqual(readdirSync(spoolFolder), [], 'while it is open');
    try {
      return await use(archive);
    } finally {
      archive.close();
    }
  } finally {
    assert.deepEqual(readdirSync(spoolFolder), []);
  }
}

/** What an archive of these bytes holds, read from a file. */
export async function linesOf(t: TestContext, bytes: Uint8Array, options: ReadOptions = {}): Promise<string[]> {
  return withArchive(t, saved(t, bytes), options, ({ tree }) => lines(tree));
}

/** The same from a stream that comes in pieces of that many bytes. */
export async function linesOfStream(t: TestContext, bytes: Uint8Array, piece: number = 64 * 1024): Promise<string[]> {
  return withArchive(t, streamOf(bytes, piece), {}, ({ tree }) => lines(tree));
}

export function saved(t: TestContext, bytes: Uint8Array, name = 'archive'): string {
  const path = join(scratch(t), name);
  writeFileSync(path, bytes);
  return path;
}

export function streamOf(bytes: Uint8Array, piece: number): Readable {
  const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, index) =>
    Buffer.from(bytes.subarray(index * piece, (index + 1) * piece)),
  );
  return Readable.from(pieces, { objectMode: false });
}

interface ZstdFunctions {
  readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer;
  readonly zstdDecompressSync?: (bytes: Uint8Array) => Buffer;
}

/** What @types/node of Node 20 does not know. */
const none: ZstdFunctions = {};
const zstdFunctions: ZstdFunctions = Object.assign(none, zlib);

/** For node:test's `skip`: false where this Node has zstd. */
export const noZstd: string | false =
  zstdFunctions.zstdCompressSync === undefined && `Node ${process.versions.node} has no zstd`;

export function zstd(bytes: Uint8Array): Buffer {
  assert.ok(zstdFunctions.zstdCompressSync);
  return zstdFunctions.zstdCompressSync(bytes);
}

export function unzstd(bytes: Uint8Array): Buffer {
  assert.ok(zstdFunctions.zstdDecompressSync);
  return zstdFunctions.zstdDecompressSync(bytes);
}
