import type { OnProgress } from '../progress.ts';

/**
 * Counts what a push to one repository has sent. It never goes back, and reaches the total only when the last manifest is
 * there, since a manifest's share is counted after its PUT.
 */
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

  /** How much of one blob, or of the manifest under one name, was handed over; a retry begins it anew. */
  sent(what: string, bytes: number): void {
    this.#sent.set(what, bytes);
    let sum = 0;
    for (const part of this.#sent.values()) sum += part;
    if (sum <= this.#reported) return;
    this.#reported = sum;
    this.#onProgress?.({ kind: 'push', reference: this.#reference, bytes: sum, total: this.#total });
  }
}
