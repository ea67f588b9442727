import type { Contents } from './entry-index.ts';
import { Heads } from './heads.ts';
import type { Spool } from './spool.ts';
import type { Room } from './tree.ts';

/** Places below zero, and below the one that stands for nothing kept, are in the spool. */
const FIRST_SPOOLED = -2;

/** The contents of an archive most of whose files went elsewhere as they came: of those, the first bytes of programs; the others as a whole. */
export class PartlyKept implements Contents {
  readonly heads: Heads = new Heads();
  readonly #spool: Spool;
  #spooled = 0;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  /** Where to read what is appended next. */
  get next(): number {
    return FIRST_SPOOLED - this.#spooled;
  }

  append(piece: Uint8Array): void {
    this.#spool.append(piece);
    this.#spooled += piece.length;
  }

  read(start: number, size: number, room?: Room): Iterable<Uint8Array> {
    return start > FIRST_SPOOLED ? this.heads.read(start, size) : this.#spool.read(FIRST_SPOOLED - start, size, room);
  }
}
