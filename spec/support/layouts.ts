import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withEncoder } from '../../src/layer/encoder.ts';
import { type PackedLayer, packLayer } from '../../src/layer/pack-layer.ts';
import { file, folder } from '../../src/layer/tree.ts';
import type { ArchivedImage } from '../../src/layout/archive.ts';
import { type Committed, commitToFolder } from '../../src/layout/commit.ts';
import { Stage } from '../../src/layout/stage.ts';
import { writeDocument } from '../../src/layout/write-document.ts';
import { configDocument } from '../../src/oci/config.ts';
import { manifestDocument } from '../../src/oci/manifest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';

const PLATFORM = { os: 'linux', architecture: 'amd64' } as const;

const RUNTIME = {
  entrypoint: ['/file'],
  cmd: [],
  env: [],
  user: '1000',
  ports: [],
  volumes: [],
  labels: {},
  workdir: null,
  stopSignal: null,
} as const;

/** Puts an image of a layer for each text on a stage; the same text is the same layer. */
export async function stageImage(stage: Stage, texts: readonly string[]): Promise<ArchivedImage> {
  const layers = await withEncoder('gzip', 'zlib', async (encoder) => {
    const packed: PackedLayer[] = [];
    for (const text of texts) {
      const plan = { storePaths: [], tree: folder([['file', file(Buffer.from(text))]]), comment: '' };
      packed.push(await stage.writeBlob((sink) => packLayer(plan, { encoder, known: new Map(), sink })));
    }
    return packed;
  });
  const config = writeDocument(stage, configDocument({ platform: PLATFORM, created: 0, runtime: RUNTIME, layers }));
  const manifest = writeDocument(
    stage,
    manifestDocument({
      config: { mediaType: MEDIA_TYPES.config, ...config },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  );
  return {
    image: { mediaType: MEDIA_TYPES.manifest, ...manifest, platform: PLATFORM },
    config: config.digest,
    layers: layers.map(({ digest }) => digest),
  };
}

/** Stages and commits such an image, as a pack does. */
export async function commitImage(
  layout: string,
  tag: string,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<Committed & ArchivedImage> {
  const stage = Stage.open(layout);
  try {
    const staged = await stageImage(stage, texts);
    return { ...(await commitToFolder(stage, staged.image, { folder: layout, tag, signal })), ...staged };
  } finally {
    stage.close();
  }
}

interface Described {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * Checks a layout without any of our own code: its documents, every digest and size. Returns its references' digests and
 * the blobs that none of them needs.
 */
export function checkLayout(layout: string): {
  readonly tags: Readonly<Record<string, string>>;
  readonly unneeded: string[];
} {
  assert.deepEqual(readdirSync(layout).sort(), ['blobs', 'index.json', 'oci-layout']);
  assert.deepEqual(readdirSync(join(layout, 'blobs')), ['sha256']);
  assert.equal(readFileSync(join(layout, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
  const needed = new Set<string>();
  const blob = ({ digest, size }: Described): Buffer => {
    const name = digest.replace(/^sha256:/, '');
    const bytes = readFileSync(join(layout, 'blobs', 'sha256', name));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), name);
    assert.equal(bytes.length, size);
    needed.add(name);
    return bytes;
  };
  const index: { readonly manifests: readonly Described[] } = JSON.parse(
    readFileSync(join(layout, 'index.json'), 'utf8'),
  );
  const tags: Record<string, string> = {};
  for (const described of index.manifests) {
    const manifest: { readonly config: Described; readonly layers: readonly Described[] } = JSON.parse(
      blob(described).toString(),
    );
    for (const part of [manifest.config, ...manifest.layers]) blob(part);
    const tag = described.annotations?.['org.opencontainers.image.ref.name'] ?? '';
    assert.ok(!(tag in tags), `two references ${tag}`);
    tags[tag] = described.digest;
  }
  const there = readdirSync(join(layout, 'blobs', 'sha256'));
  return { tags, unneeded: there.filter((name) => !needed.has(name)) };
}

/** Checks a layout at rest: nothing in it and nothing beside it that is not needed. Returns its references' digests. */
export function checkAtRest(layout: string): Readonly<Record<string, string>> {
  const { tags, unneeded } = checkLayout(layout);
  assert.deepEqual(unneeded, []);
  assert.deepEqual(beside(layout), []);
  return tags;
}

/** What of ours lies beside a layout, or beside where it would be. */
export function beside(layout: string): string[] {
  return readdirSync(dirname(layout)).filter((name) => name !== basename(layout) && name.startsWith('.'));
}
