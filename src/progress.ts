/** What a long operation tells while it runs. Counts never reach their total before the work is done. */
export type ProgressEvent =
  /** A line that Nix, or one of its builders, wrote. */
  | { readonly kind: 'nix'; readonly line: string }
  /** Bytes of the input archive read so far, and what they were uncompressed; total is null for a stream of unknown length. */
  | { readonly kind: 'read'; readonly bytes: number; readonly uncompressed: number; readonly total: number | null }
  /** Uncompressed bytes of the layers written so far; total is null where the input does not tell it. */
  | { readonly kind: 'pack'; readonly bytes: number; readonly total: number | null }
  /** Bytes of blobs sent to a registry so far, of all that have to be sent. */
  | { readonly kind: 'push'; readonly reference: string; readonly bytes: number; readonly total: number }
  /** Distributions whose metadata was read so far, while a working set is resolved, and the one that was read last. */
  | { readonly kind: 'resolve'; readonly distributions: number; readonly name: string }
  /** Something the user should know, though nothing failed. */
  | { readonly kind: 'note'; readonly text: string };

export type OnProgress = (event: ProgressEvent) => void;
