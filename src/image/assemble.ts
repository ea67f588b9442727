import { OciPloneError } from '../errors.ts';
import type { PackedLayer } from '../layer/pack-layer.ts';
import type { Stage } from '../layout/stage.ts';
import { writeDocument } from '../layout/write-document.ts';
import { configDocument } from '../oci/config.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { manifestDocument } from '../oci/manifest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Platform } from '../oci/platform.ts';
import type { PackJob } from './options.ts';
import { LAYER_ANNOTATION, RECORD_LABEL, layerRecord, recordText } from './record.ts';
import type { StagedImage } from './result.ts';

export interface Parts {
  readonly env: readonly string[];
  readonly platform: Platform;
  readonly layers: readonly PackedLayer[];
  readonly unsandboxed: boolean;
}

/** As many layers as docker can mount (moby's maxLayerDepth). */
const MAX_LAYERS = 125;

/** Writes an image's config and manifest over its packed layers. */
export function assemble(parts: Parts, job: PackJob, stage: Stage): StagedImage {
  const { env, platform, layers, unsandboxed } = parts;
  if (layers.length > MAX_LAYERS)
    throw new OciPloneError('USAGE', `an image of ${layers.length} layers; docker mounts ${MAX_LAYERS} at most`);
  const { entrypoint, cmd, user, ports, volumes, labels, workdir, stopSignal, annotations } = job.image;
  const record = recordText({
    version: 1,
    layers: layers.map(layerRecord),
    ...(unsandboxed ? { sandbox: 'none' } : {}),
  });
  const runtime = { entrypoint, cmd, env, user, ports, volumes, workdir, stopSignal };
  const config = writeDocument(
    stage,
    configDocument({
      platform,
      created: job.created,
      runtime: { ...runtime, labels: { ...labels, [RECORD_LABEL]: record } },
      layers,
    }),
  );
  const configDescriptor: Descriptor = { mediaType: MEDIA_TYPES.config, ...config };
  const manifest = writeDocument(
    stage,
    manifestDocument({
      config: configDescriptor,
      layers: layers.map(layerDescriptor),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    }),
  );
  return {
    manifest: { mediaType: MEDIA_TYPES.manifest, ...manifest, platform },
    config: configDescriptor,
    layers,
  };
}

function layerDescriptor(layer: PackedLayer): Descriptor {
  const { mediaType, digest, size } = layer;
  return { mediaType, digest, size, annotations: { [LAYER_ANNOTATION]: recordText(layerRecord(layer)) } };
}
