import { createHash } from 'node:crypto';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/document-digest.ts';
import { canonicalJson } from '../../src/oci/json.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import type { PushableImage } from '../../src/registry/push.ts';
import type { Blob } from '../../src/registry/verified.ts';

const PIECE = 48 * 1024;

/** A blob that lives in memory and is read in pieces. */
export function blobOf(bytes: Uint8Array, mediaType: string = MEDIA_TYPES.layer): Blob {
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return {
    descriptor: { mediaType, digest, size: bytes.length },
    open: async function* () {
      for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
    },
  };
}

/** Bytes that no other name gives. */
export function bytesNamed(name: string, size: number): Uint8Array {
  const block = createHash('sha512').update(name).digest();
  return Buffer.alloc(size, block);
}

/** A whole image: a config that skopeo can read, and layers of the given bytes. */
export function imageOf(layers: readonly Blob[]): PushableImage {
  const config = blobOf(
    canonicalJson({
      architecture: 'amd64',
      os: 'linux',
      config: { User: '1000' },
      rootfs: { type: 'layers', diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
    }),
    MEDIA_TYPES.config,
  );
  const manifestBytes = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: plain(config.descriptor),
    layers: layers.map(({ descriptor }) => plain(descriptor)),
  });
  return {
    manifest: { mediaType: MEDIA_TYPES.manifest, digest: digestOf(manifestBytes), size: manifestBytes.length },
    manifestBytes,
    blobs: [config, ...layers],
  };
}

function plain({ mediaType, digest, size }: Descriptor): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size };
}

/** A small image with two layers, one of them of several pieces. */
export function sampleImage(name: string): PushableImage {
  return imageOf([blobOf(bytesNamed(`${name} 1`, 3000)), blobOf(bytesNamed(`${name} 2`, 500_000))]);
}
