import { hashOf } from '../layer/hash.ts';
import type { Digest } from '../oci/digest.ts';
import type { Stage } from './stage.ts';

/** Writes a small document as a blob of a stage. Throws LOCAL_IO. */
export function writeDocument(stage: Stage, document: Uint8Array): { readonly digest: Digest; readonly size: number } {
  const digest = hashOf(document);
  stage.writeFile(stage.blobPath(digest), document);
  return { digest, size: document.length };
}
