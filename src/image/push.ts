import type { CallOptions } from '../call-options.ts';
import { tmpdir } from 'node:os';
import { withLayoutImage } from '../layout/open.ts';
import { type Digest } from '../oci/digest.ts';
import { type Reference, formatReference, parseReference } from '../oci/reference.ts';
import type { PackJob, RegistryChoices } from './options.ts';

export interface PushOptions extends RegistryChoices, CallOptions {
  /** A layout's folder or an image archive; `FOLDER:TAG` selects one of several references. */
  readonly layout: string;
  /** One or more references in registries. */
  readonly references: readonly string[];
}

export interface PushResult {
  readonly digest: Digest;
  /** Every reference that names the image now. */
  readonly references: readonly string[];
}

/**
 * Pushes an image of a layout to registries (distribution specification, "Push").
 *
 * @throws OciPloneError
 */
export async function push(options: PushOptions): Promise<PushResult> {
  const references = options.references.map(parseReference);
  return pushLayout(options.layout, references, {
    insecureRegistries: options.insecureRegistries ?? [],
    env: options.env ?? process.env,
    signal: options.signal,
    onProgress: options.onProgress,
  });
}

/** Pushes under references that were read already. */
export async function pushLayout(
  layout: string,
  references: readonly Reference[],
  {
    insecureRegistries,
    env,
    signal,
    onProgress,
  }: Pick<PackJob, 'insecureRegistries' | 'env' | 'signal' | 'onProgress'>,
): Promise<PushResult> {
  // HTTP takes longer to load than all the rest, and most packs do not push.
  const { pushImage } = await import('../registry/push.ts');
  return withLayoutImage(layout, { spoolFolder: tmpdir(), signal }, async (image) => {
    const { descriptor, manifestBytes, manifest } = image;
    const parts = [manifest.config, ...manifest.layers];
    const blobs = parts.map((part) => ({ descriptor: part, open: () => image.readBlob(part) }));
    await pushImage({ manifest: descriptor, manifestBytes, blobs }, references, {
      env,
      insecure: insecureRegistries,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return { digest: descriptor.digest, references: references.map(formatReference) };
  });
}
