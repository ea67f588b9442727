import { OciPloneError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { isDigest } from '../oci/digest.ts';
import { matchesDigest } from '../oci/document-digest.ts';
import type { RegistryClient } from './client.ts';
import { header } from './http.ts';

const PATIENCE = 5 * 60_000;

/**
 * Puts a manifest, byte for byte, under a tag or its digest ("Pushing Manifests").
 *
 * @param name - a tag, or a digest
 * @throws DIGEST_MISMATCH where the registry says that it stored something else
 */
export async function putManifest(
  client: RegistryClient,
  repository: string,
  name: string,
  manifest: { readonly descriptor: Descriptor; readonly bytes: Uint8Array },
  signal?: AbortSignal,
): Promise<void> {
  const { descriptor, bytes } = manifest;
  const doing = `pushing manifest ${descriptor.digest} to ${repository}, ${name}`;
  const answer = await client.send(
    repository,
    {
      method: 'PUT',
      to: `/v2/${repository}/manifests/${name}`,
      headers: { 'content-type': descriptor.mediaType, 'content-length': String(bytes.length) },
      body: async function* () {
        yield bytes;
      },
      patience: PATIENCE,
    },
    signal,
  );
  const stored = header(answer, 'docker-content-digest');
  const succeeded = answer.status >= 200 && answer.status < 300;
  if (succeeded && stored !== null && !(isDigest(stored) && matchesDigest(bytes, stored)))
    throw new OciPloneError('DIGEST_MISMATCH', `${doing}: ${answer.url.host} stored ${JSON.stringify(stored)}`);
  // A server that answers 200 to everything is not a registry, unless it knows the digest.
  if (answer.status === 201 || (succeeded && stored !== null)) return;
  throw await client.failure(doing, answer, repository);
}
