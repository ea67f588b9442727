import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { type Readable, addAbortSignal } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { OciPloneError, localError, systemCode, throwIfAborted } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { type ArchiveFormat, FORMAT_BYTES, archiveFormat } from './archive-format.ts';
import type { ArchiveLimits } from './archive-limits.ts';
import type { BlobSink, PackedBlob } from './blob.ts';
import { type Take, decode, withHead } from './decode.ts';
import { sameFile } from './disk-tree.ts';
import type { Contents } from './entry-index.ts';
import { bulkHash } from './hash.ts';
import { TarIndex } from './index-tar.ts';
import { readRange } from './read-range.ts';
import { PartlyKept } from './partly-kept.ts';
import { openSpool } from './spool.ts';
import { notReadable } from './stat-input.ts';
import { OutOfOrder, type StoreLayer } from './store-layer.ts';
import type { FolderNode } from './tree.ts';

/** A small archive may be nothing but zeros; the ratio is looked at from here on. */
const RATIO_FROM_BYTES = 64 * 1024 ** 2;

export interface ArchiveOptions {
  readonly limits: ArchiveLimits;
  /**
   * Gets the archive's bytes as they are, to keep it as a layer. It is read strictly then (see `IndexTarOptions`), and of its contents
   * only the first bytes of programs can be read.
   */
  readonly keep?: BlobSink | undefined;
  /**
   * Gets the store paths of a compressed archive in a file as they come. Where it can take them as they come they are not spooled,
   * and only the first bytes of programs can be read; elsewhere the file is read again.
   */
  readonly layer?: StoreLayer | undefined;
  /** What to give instead of a file that is no archive. */
  readonly hint?: string;
  /** Where a compressed or piped archive is spooled, uncompressed. */
  readonly spoolFolder: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface Archive {
  /** What it is called in messages. */
  readonly where: string;
  readonly format: ArchiveFormat;
  readonly tree: FolderNode;
  /** What was kept; null where nothing was asked to be. */
  readonly kept: PackedBlob | null;
  /** Whether the layer got the store paths. */
  readonly isStreamed: boolean;
  /** INPUT_MALFORMED if the file is gone, or not what it was when it was indexed. */
  assertUnchanged(): void;
  close(): void;
}

/**
 * Indexes an archive (a path, or a stream such as stdin) and keeps its bytes where they can be read in any order: a plain
 * tar in its own file, anything else in a spool; where it is kept, neither. Throws INPUT_ABSENT, INPUT_MALFORMED,
 * INPUT_REFUSED, USAGE (zstd on a Node without it) and LOCAL_IO.
 */
export async function readArchive(input: string | Readable, options: ArchiveOptions): Promise<Archive> {
  return typeof input === 'string' ? readFile(input, options) : readStream(input, 'standard input', options);
}

async function readFile(path: string, options: ArchiveOptions): Promise<Archive> {
  const { fd, stats } = openInput(path);
  try {
    const head = new Uint8Array(FORMAT_BYTES);
    const format = formatOf(head.subarray(0, readSync(fd, head, 0, head.length, 0)), path, options);
    const assertUnchanged = (): void => {
      // By its name, too: what lies there now is what the caller takes to be packed.
      if (!isAt(path, stats) || !sameFile(stats, fstatSync(fd, { bigint: true })))
        throw new OciPloneError('INPUT_MALFORMED', `${path}: changed while it was read`, {
          hint: 'Pack again once nothing writes to it any more.',
        });
    };
    const total = Number(stats.size);
    const own: Contents | null =
      format === 'tar' ? { read: (start, size, room) => readRange(fd, { start, size, path }, room) } : null;
    const source = { format, where: path, total, own };
    const { tree, kept, isStreamed, close } = await index(piecesOf(fd), source, options).catch((error: unknown) => {
      if (!(error instanceof OutOfOrder)) throw error;
      return index(piecesOf(fd), source, { ...options, layer: undefined });
    });
    assertUnchanged();
    const closeBoth = (): void => {
      close();
      closeSync(fd);
    };
    return { where: path, format, tree, kept, isStreamed, assertUnchanged, close: closeBoth };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** What is read at once: a bomb's ratio shows when it is used up, and not before. */
const PIECE_BYTES = 256 * 1024;

function isAt(path: string, stats: BigIntStats): boolean {
  try {
    return sameFile(stats, statSync(path, { bigint: true }));
  } catch {
    return false;
  }
}

/**
 * An open file's bytes, read at once: the way to another thread and back takes longer. A stream of node:fs would close what it
 * did not open as soon as something fails. Each piece is overwritten by the next one: 5 GB of pieces are more garbage than V8
 * sees coming.
 */
async function* piecesOf(fd: number): AsyncGenerator<Uint8Array> {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  for (let at = 0; ;) {
    const length = readSync(fd, piece, 0, PIECE_BYTES, at);
    if (length === 0) return;
    at += length;
    yield piece.subarray(0, length);
    // For signals, and for what other threads have done.
    await setImmediate();
  }
}

async function readStream(stream: Readable, where: string, options: ArchiveOptions): Promise<Archive> {
  // A stream may stall: then nothing but its end lets go of it.
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const head = await headOf(pieces).catch((error: unknown) => {
    throw failure(where, error, options.signal);
  });
  const format = formatOf(Buffer.concat(head), where, options);
  const whole = withHead(head, pieces);
  const source = { format, where, total: null, own: null };
  const { tree, kept, isStreamed, close } = await index(whole, source, { ...options, layer: undefined });
  return { where, format, tree, kept, isStreamed, assertUnchanged: () => undefined, close };
}

/** The first pieces, as many as tell the format. */
async function headOf(pieces: AsyncIterator<Uint8Array>): Promise<readonly Uint8Array[]> {
  const head: Uint8Array[] = [];
  for (let length = 0; length < FORMAT_BYTES;) {
    const { value, done } = await pieces.next();
    if (done === true) break;
    head.push(value);
    length += value.length;
  }
  return head;
}

interface Source {
  readonly format: ArchiveFormat;
  readonly where: string;
  /** Bytes of the input, where they are known. */
  readonly total: number | null;
  /** The input itself where it is a plain tar in a file, which needs no spool. */
  readonly own: Contents | null;
}

async function index(
  input: AsyncIterable<Uint8Array>,
  { format, where, total, own }: Source,
  { limits, keep, layer, spoolFolder, signal, onProgress }: ArchiveOptions,
): Promise<Pick<Archive, 'tree' | 'kept' | 'isStreamed' | 'close'>> {
  const hashes = keep ? { digest: bulkHash(), diffId: bulkHash() } : null;
  const spool = own === null && keep === undefined ? openSpool(spoolFolder) : null;
  const close = (): void => spool?.close();
  let taken = 0;
  let written = 0;
  const tell = (): void => onProgress?.({ kind: 'read', bytes: taken, uncompressed: written, total });

  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const piece of input) {
      throwIfAborted(signal);
      taken += piece.length;
      hashes?.digest.update(piece);
      await keep?.(piece);
      tell();
      yield piece;
    }
  }
  const streamed = spool !== null && layer !== undefined ? { layer, kept: new PartlyKept(spool) } : undefined;
  const tarIndex = new TarIndex({ where, maxEntries: limits.entries, strict: keep !== undefined, streamed });
  const take: Take = (piece, compressed) => {
    // A few compressed bytes may be a great many of these.
    throwIfAborted(signal);
    written += piece.length;
    if (written > limits.bytes) throw overLimit(where, `more than ${limits.bytes} bytes`, '--max-bytes');
    if (written > RATIO_FROM_BYTES && written > compressed * limits.ratio)
      throw overLimit(where, `more than ${limits.ratio} bytes for each compressed one`, '--max-ratio');
    if (streamed === undefined) spool?.append(piece);
    hashes?.diffId.update(piece);
    tarIndex.push(piece);
    tell();
    return streamed?.layer.ready();
  };

  try {
    await decode(counted(), { format, where, take });
    const kept = hashes && { digest: hashes.digest.digest(), size: taken, diffId: hashes.diffId.digest() };
    const tree = tarIndex.tree(own ?? spool);
    streamed?.layer.end();
    return { tree, kept, isStreamed: streamed !== undefined, close };
  } catch (error) {
    close();
    throw failure(where, error, signal);
  }
}

function abortError(signal: AbortSignal): unknown {
  try {
    throwIfAborted(signal);
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What open(2) says of a path where nothing is, or can be. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP']);

function openInput(path: string): { readonly fd: number; readonly stats: BigIntStats } {
  try {
    // Without waiting for a writer, should it be a FIFO.
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd, { bigint: true });
    if (stats.isFile()) return { fd, stats };
    closeSync(fd);
  } catch (error) {
    if (ABSENT.has(systemCode(error)))
      throw new OciPloneError('INPUT_ABSENT', `${path}: no such file`, { cause: error });
    if (systemCode(error) === 'EACCES') throw notReadable(path, error);
    throw localError(`cannot open ${path}`, error);
  }
  throw new OciPloneError('INPUT_MALFORMED', `${path}: neither a file nor a store path`, {
    hint: 'Give a Nix expression, a store path, or a tarball that holds /nix.',
  });
}

const HINT = 'Give a Nix expression (*.nix), a store path, or a tarball that holds /nix.';

function formatOf(head: Uint8Array, where: string, { hint = HINT }: ArchiveOptions): ArchiveFormat {
  const format = archiveFormat(head);
  if (format !== null) return format;
  const what = head.length === 0 ? 'is empty' : 'is neither gzip, zstd nor tar';
  throw new OciPloneError('INPUT_MALFORMED', `${where}: ${what}`, { hint });
}

function failure(where: string, error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return abortError(signal);
  return error instanceof OutOfOrder ? error : unreadable(where, error);
}

/** What zlib and zstd say of a broken archive is about the input; what the system says is about this machine. */
function unreadable(where: string, error: unknown): OciPloneError {
  if (error instanceof OciPloneError) return error;
  if (/^E[A-Z]+$/.test(systemCode(error))) return localError(`cannot read ${where}`, error);
  const reason = error instanceof Error ? error.message : String(error);
  return new OciPloneError('INPUT_MALFORMED', `${where}: a broken archive: ${reason}`, { cause: error });
}

function overLimit(where: string, what: string, flag: string): OciPloneError {
  return new OciPloneError('INPUT_REFUSED', `${where}: the archive has ${what}`, {
    hint: `If it is meant to be that large, raise ${flag}.`,
  });
}
