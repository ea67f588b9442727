import type { Contents } from './entry-index.ts';

/** As many as an ELF header has, which names the machine that a program is for (System V ABI, "ELF Header"). */
export const HEAD_BYTES = 64;

const NOT_KEPT = -1;

/** The beginning of a file whose bytes have not all come yet. */
interface OpenHead {
  /** Where it goes. */
  at: number;
  /** Where its next byte is in the archive. */
  start: number;
  left: number;
}

/**
 * The first bytes of an archive's programs. An archive that is kept as it is need not be spooled: of all that is in it only the
 * entrypoint is looked at, to see what machine it is for.
 */
export class Heads implements Contents {
  #bytes: Buffer = Buffer.alloc(1024 * HEAD_BYTES);
  #length = 0;
  #before = 0;
  #open: OpenHead[] = [];

  /** A program that begins at a place of the archive which is still to come. Returns where to read it. */
  add(start: number, size: number): number {
    const at = this.#length;
    const left = Math.min(size, HEAD_BYTES);
    if (at + left > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], 2 * this.#bytes.length);
    this.#length += left;
    this.#open.push({ at, start, left });
    return at;
  }

  /** What stands for the place of any other file. */
  get none(): number {
    return NOT_KEPT;
  }

  /** Takes the next piece of the archive, and keeps nothing else of it. */
  push(piece: Buffer): void {
    for (const head of this.#open) {
      const from = head.start - this.#before;
      const copied = piece.copy(this.#bytes, head.at, from, Math.min(from + head.left, piece.length));
      head.at += copied;
      head.start += copied;
      head.left -= copied;
    }
    this.#open = this.#open.filter(({ left }) => left > 0);
    this.#before += piece.length;
  }

  /** Throws for whoever wants more than was kept. */
  *read(at: number, size: number): Iterable<Uint8Array> {
    if (at !== NOT_KEPT) yield this.#bytes.subarray(at, at + Math.min(size, HEAD_BYTES));
    if (at === NOT_KEPT || size > HEAD_BYTES)
      throw new Error('of an archive that is kept as it is, only the first bytes of programs can be read');
  }
}
