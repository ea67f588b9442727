import { OciPloneError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { matchesDigest } from '../oci/document-digest.ts';
import { MAX_DOCUMENT_BYTES } from '../oci/manifest.ts';
import { type Reference, formatReference } from '../oci/reference.ts';
import type { OnProgress } from '../progress.ts';
import { hasBlob, uploadBlob } from './blobs.ts';
import { RegistryClient } from './client.ts';
import { putManifest } from './manifests.ts';
import { forEachParallel } from './parallel.ts';
import { PushMeter } from './push-meter.ts';
import { type RetryOptions, withRetries } from './retry.ts';
import { Transport } from './transport.ts';
import type { Blob } from './verified.ts';

export interface PushableImage {
  readonly manifest: Descriptor;
  /** What `manifest` describes, byte for byte. */
  readonly manifestBytes: Uint8Array;
  /** The config and the layers. */
  readonly blobs: readonly Blob[];
}

export interface RegistryOptions {
  /** Where credentials, proxies and the user's home are looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hosts, each with its port where it has one, that http is spoken to. Loopback names need not be here. */
  readonly insecure: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
  readonly userAgent?: string;
}

/** How many blobs are on their way at once. */
const PARALLEL = 4;

/**
 * Pushes an image under all references (distribution specification, "Push"): blobs first, each once for a repository and
 * only where it is missing there; the manifest last, so that a reference never names an image with a blob missing.
 *
 * @throws USAGE for a reference with another digest, before anything is sent; AUTHENTICATION, REGISTRY, NETWORK,
 * DIGEST_MISMATCH, ABORTED
 */
export async function pushImage(
  image: PushableImage,
  references: readonly Reference[],
  options: RegistryOptions,
): Promise<void> {
  checkManifest(image);
  checkReferences(image, references);
  const transport = new Transport(options);
  const { env, insecure, signal, onProgress } = options;
  try {
    const clients = new Map<string, RegistryClient>();
    for (const { registry } of references)
      if (!clients.has(registry))
        clients.set(registry, new RegistryClient(registry, { transport, env, insecure, signal }));
    for (const [registry, client] of clients) {
      await withRetries(() => client.ping(signal), { signal, onProgress });
      for (const targets of byRepository(references.filter((reference) => reference.registry === registry)))
        await pushToRepository(client, image, targets, { signal, onProgress });
    }
  } finally {
    await transport.close();
  }
}

/** All targets are references into one repository, at least one. */
async function pushToRepository(
  client: RegistryClient,
  image: PushableImage,
  targets: readonly [Reference, ...Reference[]],
  options: RetryOptions,
): Promise<void> {
  const { repository } = targets[0];
  const { manifest } = image;
  const blobs = distinct(image.blobs);
  const missing = await missingBlobs(client, repository, blobs, options);

  const names = [...new Set(targets.map(({ tag }) => tag ?? manifest.digest))];
  const total = missing.reduce((sum, { descriptor }) => sum + descriptor.size, names.length * manifest.size);
  const meter = new PushMeter(formatReference(targets[0]), total, options.onProgress);
  await sendBlobs(client, repository, missing, (digest, bytes) => meter.sent(digest, bytes), options);

  for (const name of names) {
    let attempts = 0;
    await withRetries(async () => {
      attempts += 1;
      // Where another push of the same blobs is on its way, a registry may not find what it has just stored.
      if (attempts > 1) {
        const lost = await missingBlobs(client, repository, blobs, options);
        await sendBlobs(client, repository, lost, () => undefined, options);
      }
      await putManifest(client, repository, name, { descriptor: manifest, bytes: image.manifestBytes }, options.signal);
    }, options);
    meter.sent(`manifest ${name}`, manifest.size);
  }
}

async function missingBlobs(
  client: RegistryClient,
  repository: string,
  blobs: readonly Blob[],
  { signal, onProgress }: RetryOptions,
): Promise<readonly Blob[]> {
  const missing: Blob[] = [];
  await forEachParallel(blobs, PARALLEL, signal, async (blob, stop) => {
    const options = { signal: stop, onProgress };
    if (!(await withRetries(() => hasBlob(client, repository, blob.descriptor, stop), options))) missing.push(blob);
  });
  return missing;
}

async function sendBlobs(
  client: RegistryClient,
  repository: string,
  blobs: readonly Blob[],
  onSent: (digest: string, bytes: number) => void,
  { signal, onProgress }: RetryOptions,
): Promise<void> {
  await forEachParallel(blobs, PARALLEL, signal, async (blob, stop) => {
    const { digest, size } = blob.descriptor;
    let attempts = 0;
    const send = async (): Promise<void> => {
      attempts += 1;
      // The answer to a commit may have been lost after the registry stored the blob.
      if (attempts > 1 && (await hasBlob(client, repository, blob.descriptor, stop))) return;
      await uploadBlob(client, repository, blob, (bytes) => onSent(digest, bytes), stop);
    };
    await withRetries(send, { signal: stop, onProgress });
    onSent(digest, size);
  });
}

function checkManifest({ manifest, manifestBytes }: PushableImage): void {
  const { digest, size } = manifest;
  if (manifestBytes.length !== size || !matchesDigest(manifestBytes, digest))
    throw new OciPloneError(
      'DIGEST_MISMATCH',
      `the manifest's ${manifestBytes.length} bytes are not ${digest} of ${size}`,
    );
  if (size > MAX_DOCUMENT_BYTES)
    throw new OciPloneError('INPUT_MALFORMED', `the manifest has ${size} bytes; registries take ${MAX_DOCUMENT_BYTES}`);
}

function checkReferences(image: PushableImage, references: readonly Reference[]): void {
  if (references.length === 0) throw new OciPloneError('USAGE', '"references" expected at least one');
  for (const reference of references)
    if (reference.digest !== null && !matchesDigest(image.manifestBytes, reference.digest))
      throw new OciPloneError(
        'USAGE',
        `${formatReference(reference)}: the image that is to be pushed there is ${image.manifest.digest}`,
        { hint: 'Leave the digest out, or push the image that has it.' },
      );
}

function byRepository(references: readonly Reference[]): readonly (readonly [Reference, ...Reference[]])[] {
  const groups = new Map<string, [Reference, ...Reference[]]>();
  for (const reference of references) {
    const group = groups.get(reference.repository);
    if (group === undefined) groups.set(reference.repository, [reference]);
    else group.push(reference);
  }
  return [...groups.values()];
}

function distinct(blobs: readonly Blob[]): readonly Blob[] {
  return [...new Map(blobs.map((blob) => [blob.descriptor.digest, blob])).values()];
}
