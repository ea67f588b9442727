import { OciPloneError } from '../errors.ts';

/** `algorithm:hex`, as the image specification's descriptor.md ("Digests") has it. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const SHAPES = [/^sha256:[0-9a-f]{64}$/, /^sha512:[0-9a-f]{128}$/];

export function isDigest(text: string): text is Digest {
  return SHAPES.some((shape) => shape.test(text));
}

/** Checks a digest that came from outside before any path or URL is made of it (CVE-2024-3727). */
export function parseDigest(text: unknown, where: string): Digest {
  if (typeof text === 'string' && isDigest(text)) return text;
  throw new OciPloneError(
    'INPUT_MALFORMED',
    `${where}: expected a sha256 or sha512 digest, got ${JSON.stringify(text)}`,
  );
}

/** The hex part, which is the file's name in an image layout. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function digestAlgorithm(digest: Digest): 'sha256' | 'sha512' {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}
