import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import { MAX_DOCUMENT_BYTES, parseIndex, parseManifest, parseObject } from '../../src/oci/manifest.ts';
import { MEDIA_TYPES, isIndexType, isManifestType } from '../../src/oci/media-types.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const config = { mediaType: MEDIA_TYPES.config, digest: DIGEST, size: 2 };
const layer = { mediaType: MEDIA_TYPES.layerGzip, digest: DIGEST, size: 0 };
const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [layer] };
const platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
const item = { mediaType: MEDIA_TYPES.manifest, digest: DIGEST, size: 7, platform, annotations: { a: 'b' } };
const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: [item], annotations: { c: 'd' } };

function bytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function withLayer(change: object): object {
  return { ...manifest, layers: [{ ...layer, ...change }] };
}

function isMalformed(error: unknown): boolean {
  return error instanceof OciPloneError && error.code === 'INPUT_MALFORMED' && error.message.startsWith('it');
}

describe('parseManifest', () => {
  it('reads OCI and Docker manifests, with or without mediaType', () => {
    assert.deepEqual(parseManifest(bytes(manifest), 'it'), manifest);
    assert.deepEqual(parseManifest(bytes({ ...manifest, mediaType: undefined }), 'it'), manifest);
    const docker = { ...manifest, mediaType: MEDIA_TYPES.dockerManifest };
    assert.deepEqual(parseManifest(bytes(docker), 'it'), docker);
    const annotated = { ...manifest, annotations: { a: '' } };
    assert.deepEqual(parseManifest(bytes(annotated), 'it'), annotated);
    assert.deepEqual(parseManifest(bytes({ ...manifest, annotations: null }), 'it'), manifest);
  });

  it('refuses everything else', () => {
    const table: readonly unknown[] = [
      null,
      [],
      'x',
      {},
      { ...manifest, schemaVersion: 1 },
      { ...manifest, schemaVersion: '2' },
      { ...manifest, mediaType: MEDIA_TYPES.index },
      { ...manifest, mediaType: 7 },
      { ...manifest, config: undefined },
      { ...manifest, config: [config] },
      { ...manifest, layers: undefined },
      { ...manifest, layers: { 0: layer } },
      { ...manifest, layers: [null] },
      { ...manifest, manifests: [] },
      { ...manifest, annotations: [] },
      { ...manifest, annotations: { a: 1 } },
      ...[-1, 0.5, '7', null, undefined, 2 ** 53].map((size) => withLayer({ size })),
      ...['', 'sha256:../../x', DIGEST.slice(1), null].map((digest) => withLayer({ digest })),
      withLayer({ mediaType: undefined }),
    ];
    for (const value of table)
      assert.throws(() => parseManifest(bytes(value), 'it'), isMalformed, JSON.stringify(value));
  });
});

describe('parseIndex', () => {
  it('reads OCI indexes and Docker lists', () => {
    assert.deepEqual(parseIndex(bytes(index), 'it'), index);
    assert.deepEqual(parseIndex(bytes({ ...index, mediaType: undefined }), 'it'), index);
    assert.deepEqual(parseIndex(bytes({ ...index, manifests: [] }), 'it').manifests, []);
    assert.equal(parseIndex(bytes({ ...index, mediaType: MEDIA_TYPES.dockerIndex }), 'it').manifests.length, 1);
  });

  it('refuses everything else', () => {
    for (const value of [
      { ...index, schemaVersion: undefined },
      { ...index, mediaType: MEDIA_TYPES.manifest },
      { ...index, manifests: undefined },
      { ...index, layers: [] },
      { ...index, config },
      { ...index, manifests: [{ ...item, platform: 'linux/amd64' }] },
      { ...index, manifests: [{ ...item, platform: { os: 'linux' } }] },
    ])
      assert.throws(() => parseIndex(bytes(value), 'it'), isMalformed, JSON.stringify(value));
  });
});

describe('parseObject', () => {
  it('refuses what is no JSON object in UTF-8 of at most 4 MiB', () => {
    for (const document of [
      Buffer.from(''),
      Buffer.from('{'),
      Buffer.from('{}{}'),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
      Buffer.from('\ufeff{}'),
      Buffer.from(`"${'['.repeat(100_000)}`),
      Buffer.from('['.repeat(1_000_000)),
      Buffer.alloc(MAX_DOCUMENT_BYTES + 1, ' '),
    ])
      assert.throws(() => parseObject(document, 'it'), isMalformed);
    const longest = Buffer.alloc(MAX_DOCUMENT_BYTES, ' ');
    longest.write('{}');
    assert.deepEqual(parseObject(longest, 'it'), {});
  });
});

describe('media types', () => {
  it('are of one kind', () => {
    const kinds = Object.entries(MEDIA_TYPES).map(([name, type]) => [name, isManifestType(type), isIndexType(type)]);
    const of = (test: number): unknown => kinds.filter((kind) => kind[test]).map(([name]) => name);
    assert.deepEqual(of(1), ['manifest', 'dockerManifest']);
    assert.deepEqual(of(2), ['index', 'dockerIndex']);
    assert.ok(!isManifestType(`${MEDIA_TYPES.manifest}; charset=utf-8`));
  });
});
