import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Digest, digestAlgorithm, digestHex } from './digest.ts';

/** The sha256 digest of a small document that was read. What is written, and bulk data, goes through `layer/hash.ts`. */
export function digestOf(document: Uint8Array): Digest {
  return `sha256:${bytesToHex(sha256(document))}`;
}

/** Whether a small document is what the digest names. */
export function matchesDigest(document: Uint8Array, digest: Digest): boolean {
  if (digestAlgorithm(digest) === 'sha256') return digestOf(document) === digest;
  return digestHex(digest) === bytesToHex(sha512(document));
}
