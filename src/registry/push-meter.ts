import type { OnProgress } from '../progress.ts';

/** Counts what a push to one repository has sent. It never goes back, and reaches the total by `finished` alone. */
export class PushMeter {
  readonly #sent = new Map<string, number>();
  readonly #total: number;
  readonly #reference: string;
  readonly #onProgress: OnProgress | undefined;
  #reported = 0;

  constructor(reference: string, total: number, onProgress: OnProgress | undefined) {
    this.#reference = reference;
    this.#total = total;
    this.#onProgress = onProgress;
  }

  /** How much of one blob was handed over; a retry begins it anew. */
  sent(digest: string, bytes: number): void {
    this.#sent.set(digest, bytes);
    let sum = 0;
    for (const part of this.#sent.values()) sum += part;
    this.#report(Math.min(sum, this.#total - 1));
  }

  /** Everything is there, the manifest included. */
  finished(): void {
    this.#report(this.#total);
  }

  #report(bytes: number): void {
    if (bytes <= this.#reported) return;
    this.#reported = bytes;
    this.#onProgress?.({ kind: 'push', reference: this.#reference, bytes, total: this.#total });
  }
}
