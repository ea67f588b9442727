import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { parseIndex, parseManifest } from '../oci/manifest.ts';
import { isIndexType, isManifestType } from '../oci/media-types.ts';

/**
 * The files in blobs/sha256 that an index needs: manifests, what they name, and what indexes in it name. Documents of
 * other kinds are kept and not looked into; `read` gives null for one that the layout does not hold, as it may
 * (image-layout.md, "index.json file").
 */
export function reachable(
  manifests: readonly Descriptor[],
  read: (digest: Digest) => Uint8Array | null,
): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = ({ digest, mediaType }: Descriptor): void => {
    if (found.has(digestHex(digest))) return;
    found.add(digestHex(digest));
    const document = isIndexType(mediaType) || isManifestType(mediaType) ? read(digest) : null;
    if (document === null) return;
    if (isIndexType(mediaType)) {
      parseIndex(document, `index ${digest}`).manifests.forEach(visit);
      return;
    }
    const { config, layers } = parseManifest(document, `manifest ${digest}`);
    for (const part of [config, ...layers]) found.add(digestHex(part.digest));
  };
  manifests.forEach(visit);
  return found;
}
