/** How much an archive may ask for before it is refused. */
export interface ArchiveLimits {
  readonly entries: number;
  /** Bytes of the uncompressed archive. */
  readonly bytes: number;
  /** Uncompressed bytes for each compressed one, over the whole archive. */
  readonly ratio: number;
}

export const DEFAULT_LIMITS: ArchiveLimits = { entries: 2_000_000, bytes: 64 * 1024 ** 3, ratio: 250 };
