import { OciPloneError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';
import { parseMetadata } from './metadata.ts';
import type { CoreMetadata } from './metadata.ts';
import { parseWheelName } from './tags.ts';
import { canonicalName } from './name.ts';
import { sameVersion } from './version.ts';
import { readZipDirectory, readZipEntry } from './zip.ts';

/** No METADATA in use comes near; what claims more is a bomb. */
export const LARGEST_METADATA: number = 8 * 1024 * 1024;

/**
 * The bytes of METADATA out of a wheel, reading no more of it than its directory and that file.
 *
 * @throws INPUT_MALFORMED, INPUT_REFUSED
 */
export async function readWheelMetadata(source: ByteSource): Promise<Uint8Array> {
  const wheel = parseWheelName(source.name);
  const entries = await readZipDirectory(source);
  const found = entries.filter(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name));
  // PEP 427: the folder is named as the wheel is; another one is of something vendored.
  const own = found.find(({ name }) => wheel !== null && canonicalName(name).startsWith(`${wheel.name}-`));
  const entry = own ?? found[0];
  if (entry === undefined)
    throw new OciPloneError('INPUT_MALFORMED', `${source.name} has no METADATA and so is not a wheel`, {
      hint: 'Take another file of it: pin another version in [versions], or put a good wheel into a find-links folder.',
    });
  return readZipEntry(source, entry, LARGEST_METADATA);
}

/**
 * Reads METADATA and checks that it is about the file it came from.
 *
 * @throws INPUT_MALFORMED
 */
export function parseOwnMetadata(
  bytes: Uint8Array,
  file: { name: string; version: string; file: string },
): CoreMetadata {
  const metadata = parseMetadata(bytes, file.file);
  if (metadata.name === file.name && sameVersion(metadata.version, file.version)) return metadata;
  throw new OciPloneError(
    'INPUT_MALFORMED',
    `${file.file}: expected the metadata of ${file.name} ${file.version}, got that of ${metadata.name} ${metadata.version}`,
  );
}
