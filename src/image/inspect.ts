import type { CallOptions } from '../call-options.ts';
import { tmpdir } from 'node:os';
import type { StorePathInfo } from '../layer/pack-layer.ts';
import { type LayoutImage, withLayoutImage } from '../layout/open.ts';
import { type Digest } from '../oci/digest.ts';
import { parseObject } from '../oci/manifest.ts';
import { LAYER_ANNOTATION, RECORD_LABEL, parseImageRecord, parseLayerRecord } from './record.ts';

export interface InspectOptions extends Pick<CallOptions, 'signal'> {
  /** A layout's folder or an image archive; `FOLDER:TAG` selects one of several references. */
  readonly layout: string;
}

export interface InspectResult {
  readonly digest: Digest;
  readonly mediaType: string;
  /** Bytes of manifest, config and layers together. */
  readonly size: number;
  readonly tag: string | null;
  readonly platform: string;
  readonly created: string | null;
  /** The config document's `config`, as it stands, without the record. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `none` where Nix ran without a sandbox. */
  readonly sandbox: 'none' | null;
  readonly layers: readonly InspectedLayer[];
}

export interface InspectedLayer {
  readonly digest: Digest;
  /** Bytes of the blob. */
  readonly size: number;
  readonly mediaType: string;
  readonly diffId: string;
  /** How it was packed; null for a layer that oci-plone did not make. */
  readonly recipe: string | null;
  readonly storePaths: readonly StorePathInfo[];
}

/**
 * Says what is in an image, from its manifest, config and record; no layer is read.
 *
 * @throws OciPloneError
 */
export async function inspect({ layout, signal }: InspectOptions): Promise<InspectResult> {
  return withLayoutImage(layout, { spoolFolder: tmpdir(), signal }, (image) => Promise.resolve(report(image)));
}

function report({ path, tag, descriptor, manifest, configBytes }: LayoutImage): InspectResult {
  const document = parseObject(configBytes, `${path}, config`);
  const { [RECORD_LABEL]: recordLabel, ...labels } = textsOf(fieldsOf(document['config'])['Labels']);
  const record = parseImageRecord(recordLabel);
  const diffIds = listOf(fieldsOf(document['rootfs'])['diff_ids']);
  const layers = manifest.layers.map(({ digest, size, mediaType, annotations }, number) => {
    const diffId = textOf(diffIds[number]) ?? '';
    const own =
      parseLayerRecord(annotations?.[LAYER_ANNOTATION]) ?? record?.layers.find((layer) => layer.diffId === diffId);
    return { digest, size, mediaType, diffId, recipe: own?.recipe ?? null, storePaths: own?.storePaths ?? [] };
  });
  const { digest, mediaType, size } = descriptor;
  const parts = [{ size }, manifest.config, ...manifest.layers];
  return {
    digest,
    mediaType,
    size: parts.reduce((sum, part) => sum + part.size, 0),
    tag,
    platform: ['os', 'architecture', 'variant'].flatMap((key) => textOf(document[key]) ?? []).join('/'),
    created: textOf(document['created']),
    config: { ...fieldsOf(document['config']), Labels: labels },
    annotations: manifest.annotations ?? {},
    sandbox: record?.sandbox ?? null,
    layers,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, text]) => [key, String(text)]));
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
