import assert from 'node:assert/strict';
import { type ErrorCode, OciPloneError } from '../../src/errors.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { type PushableImage, type RegistryOptions, pushImage } from '../../src/registry/push.ts';

export const anonymous: RegistryOptions = { env: {}, insecure: [] };

/** Options with a docker config.json that has one entry. */
export function withEntry(host: string, entry: Readonly<Record<string, string>>): RegistryOptions {
  return { env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [host]: entry } }) }, insecure: [] };
}

export function withLogin(host: string, username: string, password: string): RegistryOptions {
  return withEntry(host, { auth: Buffer.from(`${username}:${password}`).toString('base64') });
}

export async function push(
  image: PushableImage,
  references: readonly string[],
  options: RegistryOptions = anonymous,
): Promise<void> {
  await pushImage(
    image,
    references.map((text) => parseReference(text)),
    options,
  );
}

/** For assert.throws and assert.rejects: codes are what is promised, sentences are shown where a test fails. */
export function isError(code: ErrorCode, saying: RegExp = /^/): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof OciPloneError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.code, code, `${error.message} ${error.hint}`);
    assert.match(`${error.message} ${error.hint}`, saying);
    return true;
  };
}
