import { OciPloneError } from '../errors.ts';
import type { NarInfo } from '../layer/nar.ts';
import type { StorePathInfo } from '../layer/pack-layer.ts';

/** A message has room for so many paths. */
const MAX_NAMED = 20;

/**
 * Compares what was read of store paths with what the store says of them. Throws DIGEST_MISMATCH, which names the paths
 * that are not what they were when Nix made them.
 */
export function assertAsStored(known: ReadonlyMap<string, NarInfo>, read: readonly StorePathInfo[]): void {
  const damaged = read.flatMap(({ path, narHash }) => {
    const expected = known.get(path)?.narHash;
    return expected === narHash ? [] : [`${path}: expected a NAR of ${expected ?? 'no known hash'}, got ${narHash}`];
  });
  if (damaged.length === 0) return;
  const named = damaged.slice(0, MAX_NAMED).join('\n');
  const more = damaged.length > MAX_NAMED ? `\nand ${damaged.length - MAX_NAMED} more` : '';
  throw new OciPloneError('DIGEST_MISMATCH', `${named}${more}`, {
    hint: 'The store is damaged: nix-store --verify --check-contents --repair may put it right.',
  });
}
