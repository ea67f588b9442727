import { createHash } from 'node:crypto';
import { OciPloneError, localError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestAlgorithm } from '../oci/digest.ts';

/** Content that can be read as often as it is needed. */
export interface Blob {
  readonly descriptor: Descriptor;
  /** A fresh stream of its bytes each time it is called. */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * The bytes of a blob, checked on their way: it ends with DIGEST_MISMATCH where they are not what the descriptor says.
 * The last piece is held back until the check is done, so that a registry never gets all bytes of a file that changed.
 */
export async function* verified(blob: Blob): AsyncGenerator<Uint8Array> {
  const { descriptor } = blob;
  const hash = createHash(digestAlgorithm(descriptor.digest));
  let size = 0;
  let held: Uint8Array | null = null;
  for await (const piece of readable(descriptor, blob.open())) {
    size += piece.length;
    if (size > descriptor.size) throw mismatch(descriptor, `at least ${size} bytes`);
    hash.update(piece);
    if (held !== null) yield held;
    held = piece;
  }
  if (size !== descriptor.size) throw mismatch(descriptor, `${size} bytes`);
  const digest = `${digestAlgorithm(descriptor.digest)}:${hash.digest('hex')}`;
  if (digest !== descriptor.digest) throw mismatch(descriptor, digest);
  if (held !== null) yield held;
}

async function* readable(descriptor: Descriptor, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw localError(`reading blob ${descriptor.digest}`, error);
  }
}

function mismatch({ digest, size }: Descriptor, got: string): OciPloneError {
  return new OciPloneError('DIGEST_MISMATCH', `blob ${digest}: expected ${size} bytes of that digest, got ${got}`, {
    hint: 'The file changed after it was written: pack the image again.',
  });
}
