import { createHash } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';

/** A running sha256 over bulk data. node:crypto has the processor's own instructions: eight times @noble/hashes. */
export interface BulkHash {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

/** A hash that is begun. */
export function bulkHash(): BulkHash {
  const hash = createHash('sha256');
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `sha256:${hash.digest('hex')}`,
  };
}

/** Of what is at hand as a whole. */
export function hashOf(bytes: Uint8Array): Digest {
  const hash = bulkHash();
  hash.update(bytes);
  return hash.digest();
}
