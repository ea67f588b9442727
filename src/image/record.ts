import type { PackedLayer, StorePathInfo } from '../layer/pack-layer.ts';
import { isDigest } from '../oci/digest.ts';
import { canonicalJson } from '../oci/json.ts';

/**
 * What the image says of itself, version 1: per layer its diff_id, the recipe, and its store paths with the hash and size
 * of their NARs. It stands in each layer's descriptor (so that a registry's manifest alone tells it) and, whole, in a
 * label of the config (since a conversion to Docker's manifests drops annotations).
 */
export const LAYER_ANNOTATION = 'dev.oci-plone.layer.v1';
export const RECORD_LABEL = 'dev.oci-plone.record.v1';

export interface LayerRecord {
  readonly diffId: string;
  readonly recipe: string;
  readonly storePaths: readonly StorePathInfo[];
}

export interface ImageRecord {
  readonly version: 1;
  readonly layers: readonly LayerRecord[];
  /** Only where Nix ran without a sandbox. */
  readonly sandbox?: 'none';
}

export function layerRecord({ diffId, recipe, storePaths }: PackedLayer): LayerRecord {
  return { diffId, recipe, storePaths };
}

export function recordText(record: LayerRecord | ImageRecord): string {
  return new TextDecoder().decode(canonicalJson(structured(record)));
}

function structured(record: LayerRecord | ImageRecord): Parameters<typeof canonicalJson>[0] {
  if ('version' in record) return { ...record, layers: record.layers.map(structured) };
  return { ...record, storePaths: record.storePaths.map((info) => ({ ...info })) };
}

/** Reads a layer's record out of an image of whatever origin; null where there is none, or none that is understood. */
export function parseLayerRecord(text: string | undefined): LayerRecord | null {
  const value = parsed(text);
  const [diffId, recipe, storePaths] = [value?.['diffId'], value?.['recipe'], value?.['storePaths']];
  if (typeof diffId !== 'string' || typeof recipe !== 'string' || !Array.isArray(storePaths)) return null;
  const infos = storePaths.map(storePathInfo);
  return { diffId, recipe, storePaths: infos.filter((info) => info !== null) };
}

/** Reads the whole record out of the config's label. */
export function parseImageRecord(text: string | undefined): ImageRecord | null {
  const value = parsed(text);
  if (value?.['version'] !== 1 || !Array.isArray(value['layers'])) return null;
  const layers = value['layers'].map((layer) => parseLayerRecord(JSON.stringify(layer)));
  return {
    version: 1,
    layers: layers.filter((layer) => layer !== null),
    ...(value['sandbox'] === 'none' ? { sandbox: 'none' } : {}),
  };
}

function storePathInfo(value: unknown): StorePathInfo | null {
  if (!isFields(value)) return null;
  const [path, narHash, narSize] = [value['path'], value['narHash'], value['narSize']];
  if (typeof path !== 'string') return null;
  return {
    path,
    narHash: typeof narHash === 'string' && isDigest(narHash) ? narHash : null,
    narSize: typeof narSize === 'number' ? narSize : null,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string | undefined): Fields | null {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}
