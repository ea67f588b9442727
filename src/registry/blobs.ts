import { OciPloneError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestAlgorithm } from '../oci/digest.ts';
import type { RegistryClient } from './client.ts';
import { appendQuery, resolveDestination } from './destination.ts';
import { type HttpAnswer, header } from './http.ts';
import { type Blob, verified } from './verified.ts';

/** A registry may take its time to check a large blob before it answers. */
const COMMIT_PATIENCE = 15 * 60_000;

/** Whether a repository has a blob ("Checking if content exists"). An answer that names other content does not count. */
export async function hasBlob(
  client: RegistryClient,
  repository: string,
  blob: Descriptor,
  signal?: AbortSignal,
): Promise<boolean> {
  const answer = await client.send(repository, { method: 'HEAD', to: blobPath(repository, blob) }, signal);
  if (answer.status === 404) return false;
  if (answer.status !== 200) throw await client.failure(`looking for blob ${blob.digest}`, answer, repository);
  const length = header(answer, 'content-length');
  const named = header(answer, 'docker-content-digest');
  return (length === null || length === String(blob.size)) && (named === null || named === blob.digest);
}

/**
 * Uploads a blob by POST and one PUT ("POST then PUT"). Whoever repeats it after a failure starts a new upload, since
 * what became of the old one is not known.
 *
 * @param onSent - is told how many bytes were handed over since the upload began
 * @throws DIGEST_MISMATCH where the bytes are not what the descriptor says, by this program's or the registry's count
 */
export async function uploadBlob(
  client: RegistryClient,
  repository: string,
  blob: Blob,
  onSent: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { digest, size } = blob.descriptor;
  const doing = `pushing blob ${digest} to ${repository}`;
  const begun = await client.send(repository, { method: 'POST', to: `/v2/${repository}/blobs/uploads/` }, signal);
  if (begun.status === 201) return;
  if (begun.status !== 202) throw await client.failure(doing, begun, repository);

  const location = appendQuery(uploadLocation(begun, client.insecure, doing), [['digest', digest]]);
  const done = await client.send(
    repository,
    {
      method: 'PUT',
      to: location,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: () => counted(verified(blob), onSent),
      patience: COMMIT_PATIENCE,
    },
    signal,
  );
  if (done.status !== 201 && done.status !== 204) throw await client.failure(doing, done, repository);
  checkDigest(blob.descriptor, done, doing);
}

function uploadLocation(begun: HttpAnswer, insecure: readonly string[], doing: string): URL {
  const location = header(begun, 'location');
  if (location === null)
    throw new OciPloneError('REGISTRY', `${doing}: ${begun.url.host} answered 202 without a Location header`);
  return resolveDestination('upload location', begun.url, location, insecure);
}

function checkDigest({ digest }: Descriptor, answer: HttpAnswer, doing: string): void {
  const stored = header(answer, 'docker-content-digest');
  // A registry may name a blob by its own favourite algorithm.
  if (stored === null || stored === digest || !stored.startsWith(`${digestAlgorithm(digest)}:`)) return;
  throw new OciPloneError('DIGEST_MISMATCH', `${doing}: ${answer.url.host} stored ${stored}`);
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  onSent: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const piece of pieces) {
    yield piece;
    sent += piece.length;
    onSent(sent);
  }
}

function blobPath(repository: string, { digest }: Descriptor): string {
  return `/v2/${repository}/blobs/${digest}`;
}
