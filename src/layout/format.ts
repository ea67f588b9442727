import { OciPloneError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { canonicalJson } from '../oci/json.ts';
import { parseObject } from '../oci/manifest.ts';

/** Valid on the descriptors of index.json only, and there just the tag (annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/** What `ctr` and podman take an image's whole name from. */
const CONTAINERD_NAME = 'io.containerd.image.name';

const VERSION = '1.0.0';

/** The bytes of the `oci-layout` file (image-layout.md, "oci-layout file"). */
export function layoutMarker(): Uint8Array {
  return canonicalJson({ imageLayoutVersion: VERSION });
}

/** Throws INPUT_MALFORMED for anything but a layout of the version that is known here. */
export function parseLayoutMarker(document: Uint8Array, where: string): void {
  const version = parseObject(document, `${where}/oci-layout`)['imageLayoutVersion'];
  if (version !== VERSION)
    throw new OciPloneError('INPUT_MALFORMED', `${where}: expected an image layout ${VERSION}, got ${String(version)}`);
}

/** The descriptor as index.json has it. */
export function withRefName(image: Descriptor, tag: string, fullName?: string): Descriptor {
  const name = fullName === undefined ? {} : { [CONTAINERD_NAME]: fullName };
  return { ...image, annotations: { ...image.annotations, ...name, [REF_NAME]: tag } };
}
