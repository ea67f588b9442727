import { OciPloneError } from '../errors.ts';
import type { Annotations, Descriptor } from './descriptor.ts';
import { parseDigest } from './digest.ts';
import { type Json, canonicalJson } from './json.ts';
import { MEDIA_TYPES, isIndexType, isManifestType } from './media-types.ts';

/** An image manifest (image specification, manifest.md). */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Annotations;
}

/** An image index (image specification, image-index.md), which is what index.json of a layout is, too. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Annotations;
}

/** The most bytes that a manifest, an index or a config may have; the distribution specification's own limit. */
export const MAX_DOCUMENT_BYTES: number = 4 * 1024 * 1024;

/** Reads a manifest that came from outside. Throws INPUT_MALFORMED; `where` names the document in the sentence. */
export function parseManifest(document: Uint8Array, where: string): Manifest {
  const value = parseVersion2(document, where);
  const mediaType = textOf(value, 'mediaType', where, MEDIA_TYPES.manifest);
  if (!isManifestType(mediaType)) throw malformed(where, `"mediaType" expected an image manifest, got ${mediaType}`);
  if (!Array.isArray(value['layers'])) throw malformed(where, '"layers" expected a list');
  return {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(value['config'], `${where}, config`),
    layers: value['layers'].map((layer, number) => descriptorOf(layer, `${where}, layer ${number}`)),
    ...annotationsOf(value, where),
  };
}

/** Reads an index that came from outside, as `parseManifest` reads a manifest. */
export function parseIndex(document: Uint8Array, where: string): Index {
  const value = parseVersion2(document, where);
  const mediaType = textOf(value, 'mediaType', where, MEDIA_TYPES.index);
  if (!isIndexType(mediaType)) throw malformed(where, `"mediaType" expected an image index, got ${mediaType}`);
  if (!Array.isArray(value['manifests'])) throw malformed(where, '"manifests" expected a list');
  return {
    schemaVersion: 2,
    mediaType,
    manifests: value['manifests'].map((item, number) => descriptorOf(item, `${where}, manifest ${number}`)),
    ...annotationsOf(value, where),
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads a JSON object that came from outside. Throws INPUT_MALFORMED. */
export function parseObject(document: Uint8Array, where: string): Fields {
  if (document.length > MAX_DOCUMENT_BYTES)
    throw malformed(where, `expected at most ${MAX_DOCUMENT_BYTES} bytes, got ${document.length}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(document));
  } catch (error) {
    throw malformed(where, error instanceof Error ? error.message : String(error));
  }
  if (!isFields(value)) throw malformed(where, 'expected a JSON object');
  return value;
}

function parseVersion2(document: Uint8Array, where: string): Fields {
  const value = parseObject(document, where);
  if (value['schemaVersion'] !== 2)
    throw malformed(where, `"schemaVersion" expected 2, got ${JSON.stringify(value['schemaVersion'])}`);
  refuseBothKinds(value, where);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A document that is both a manifest and an index means different things to different readers: CVE-2021-41190. */
function refuseBothKinds(value: Fields, where: string): void {
  if ('manifests' in value && ('layers' in value || 'config' in value))
    throw malformed(where, 'is a manifest and an index at once');
}

function descriptorOf(value: unknown, where: string): Descriptor {
  if (!isFields(value)) throw malformed(where, 'expected a descriptor');
  const size = value['size'];
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw malformed(where, `"size" expected a number of bytes, got ${JSON.stringify(size)}`);
  return {
    mediaType: textOf(value, 'mediaType', where),
    digest: parseDigest(value['digest'], `${where}, digest`),
    size,
    ...annotationsOf(value, where),
    ...platformOf(value, where),
    ...(typeof value['artifactType'] === 'string' ? { artifactType: value['artifactType'] } : {}),
  };
}

function platformOf(value: Fields, where: string): Pick<Descriptor, 'platform'> {
  const platform = value['platform'];
  if (platform === undefined) return {};
  if (!isFields(platform)) throw malformed(where, '"platform" expected an object');
  const variant = platform['variant'];
  return {
    platform: {
      os: textOf(platform, 'os', where),
      architecture: textOf(platform, 'architecture', where),
      ...(typeof variant === 'string' ? { variant } : {}),
    },
  };
}

function annotationsOf(value: Fields, where: string): { annotations?: Annotations } {
  const annotations = value['annotations'];
  if (annotations === undefined || annotations === null) return {};
  if (!isFields(annotations)) throw malformed(where, '"annotations" expected an object');
  const pairs = Object.entries(annotations).map(([key, text]) => {
    if (typeof text !== 'string') throw malformed(where, `annotation "${key}" expected a string`);
    return [key, text] as const;
  });
  return { annotations: Object.fromEntries(pairs) };
}

function textOf(value: Fields, key: string, where: string, otherwise?: string): string {
  const text = value[key] ?? otherwise;
  if (typeof text !== 'string') throw malformed(where, `"${key}" expected a string, got ${JSON.stringify(text)}`);
  return text;
}

function malformed(where: string, why: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${where}: ${why}`);
}

/** The bytes of an image manifest of our own making; `mediaType` is always written, since some registries want it. */
export function manifestDocument(manifest: Omit<Manifest, 'schemaVersion' | 'mediaType'>): Uint8Array {
  const { config, layers, annotations } = manifest;
  return canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: descriptorJson(config),
    layers: layers.map(descriptorJson),
    annotations,
  });
}

/** The bytes of an image index; also what a layout's index.json is. */
export function indexDocument(manifests: readonly Descriptor[]): Uint8Array {
  return canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: manifests.map(descriptorJson) });
}

function descriptorJson(descriptor: Descriptor): Json {
  const { mediaType, digest, size, annotations, artifactType, platform } = descriptor;
  return {
    mediaType,
    digest,
    size,
    annotations,
    artifactType,
    platform: platform && { ...platform },
  };
}
