import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { type ErrorCode, OciPloneError } from '../../src/errors.ts';
import { type LayoutImage, withLayoutImage } from '../../src/layout/open.ts';
import { Stage } from '../../src/layout/stage.ts';
import { writeDocument } from '../../src/layout/write-document.ts';
import { indexDocument } from '../../src/oci/manifest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { commitImage } from '../support/layouts.ts';
import { scratch } from '../support/scratch.ts';

function opened<T>(t: TestContext, name: string, use: (image: LayoutImage) => Promise<T>): Promise<T> {
  return withLayoutImage(name, { spoolFolder: scratch(t) }, use);
}

const digestIn = (t: TestContext, name: string): Promise<string> =>
  opened(t, name, ({ descriptor }) => Promise.resolve(descriptor.digest));

/** Everything that a push reads. */
async function readWhole(t: TestContext, name: string): Promise<Buffer[]> {
  return opened(t, name, async ({ manifest, ...image }) => {
    const blobs: Buffer[] = [];
    for (const layer of [manifest.config, ...manifest.layers]) {
      const pieces: Uint8Array[] = [];
      for await (const piece of image.readBlob(layer)) pieces.push(piece);
      blobs.push(Buffer.concat(pieces));
    }
    return blobs;
  });
}

describe('a layout is opened', () => {
  it('by its folder alone where it has one reference, or by DIR:TAG', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const { image } = await commitImage(layout, 'v1', ['one']);
    assert.equal(await digestIn(t, layout), image.digest);
    assert.equal(await digestIn(t, `${layout}:v1`), image.digest);
    await opened(t, layout, ({ tag, path }) => Promise.resolve(assert.deepEqual([tag, path], ['v1', layout])));
  });

  it('by DIR:TAG only where it has several', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const images = [await commitImage(layout, 'v1', ['one']), await commitImage(layout, 'v2', ['two'])];
    assert.equal(await digestIn(t, `${layout}:v1`), images[0]?.image.digest);
    assert.equal(await digestIn(t, `${layout}:v2`), images[1]?.image.digest);
    await assert.rejects(digestIn(t, layout), hasCode('USAGE'));
    await assert.rejects(digestIn(t, `${layout}:v3`), hasCode('INPUT_ABSENT'));
  });

  it('or it is said what one is, where a file is none', async (t) => {
    const file = join(scratch(t), 'text');
    writeFileSync(file, 'no archive at all');
    await assert.rejects(digestIn(t, file), (error: unknown) => {
      assert.ok(error instanceof OciPloneError);
      assert.equal(error.code, 'INPUT_MALFORMED');
      assert.match(error.hint, /image layout/);
      return true;
    });
  });

  it('by a folder whose own name has a colon', async (t) => {
    const layout = join(scratch(t), 'app:v9');
    const { image } = await commitImage(layout, 'v1', ['one']);
    assert.equal(await digestIn(t, layout), image.digest);
    assert.equal(await digestIn(t, `${layout}:v1`), image.digest);
  });

  it('from one file, compressed or not', { skip: missing('tar') }, async (t) => {
    const place = scratch(t);
    const layout = join(place, 'app.oci');
    const { image } = await commitImage(layout, 'v1', ['one']);
    for (const [name, flags] of [
      ['app.tar', []],
      ['app.tar.gz', ['--gzip']],
    ] as const) {
      execFileSync('tar', ['--create', ...flags, '--file', join(place, name), '-C', layout, '.']);
      assert.equal(await digestIn(t, join(place, name)), image.digest);
      assert.equal(await digestIn(t, `${join(place, name)}:v1`), image.digest);
      assert.equal((await readWhole(t, join(place, name))).length, 2);
    }
  });

  it('with the very bytes of its documents and blobs', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const { image, layers, config } = await commitImage(layout, 'v1', ['one', 'two']);
    const onDisk = (digest: string): Buffer => readFileSync(join(layout, 'blobs', 'sha256', digest.slice(7)));
    assert.deepEqual(await readWhole(t, layout), [config, ...layers].map(onDisk));
    await opened(t, layout, ({ manifestBytes, configBytes }) => {
      assert.deepEqual(manifestBytes, onDisk(image.digest));
      assert.deepEqual(configBytes, onDisk(config));
      return Promise.resolve();
    });
  });
});

interface Paths {
  readonly layout: string;
  readonly index: string;
  readonly manifest: string;
  readonly config: string;
  readonly layer: string;
  /** Writes another manifest and points the index at it. */
  readonly replaceManifest: (text: string) => void;
}

/** What may be wrong with a layout, and the code of reading all of it then. */
const DAMAGED: Readonly<Record<string, readonly [ErrorCode, (paths: Paths) => void]>> = {
  'a layer of other content': ['DIGEST_MISMATCH', ({ layer }) => damage(layer)],
  'a layer that is too short': [
    'DIGEST_MISMATCH',
    ({ layer }) => writeFileSync(layer, readFileSync(layer).subarray(1)),
  ],
  'a layer that is too long': ['DIGEST_MISMATCH', ({ layer }) => writeFileSync(layer, 'x', { flag: 'a' })],
  'a layer that is not there': ['INPUT_MALFORMED', ({ layer }) => rmSync(layer)],
  'a layer behind a link': ['INPUT_MALFORMED', ({ layer }) => moved(layer)],
  'a config of other content': ['DIGEST_MISMATCH', ({ config }) => damage(config)],
  'a config that is not there': ['INPUT_MALFORMED', ({ config }) => rmSync(config)],
  'a config behind a link': ['INPUT_MALFORMED', ({ config }) => moved(config)],
  'a manifest of other content': ['DIGEST_MISMATCH', ({ manifest }) => damage(manifest)],
  'a manifest of another size': ['DIGEST_MISMATCH', ({ manifest }) => writeFileSync(manifest, ' ', { flag: 'a' })],
  'a manifest that is an index, too': [
    'INPUT_MALFORMED',
    ({ manifest, replaceManifest }) =>
      replaceManifest(readFileSync(manifest, 'utf8').replace('"layers"', '"manifests":[],"layers"')),
  ],
  'a manifest that is none': ['INPUT_MALFORMED', ({ replaceManifest }) => replaceManifest('[]')],
  'a digest that is a path': [
    'INPUT_MALFORMED',
    ({ index }) => edit(index, /sha256:[0-9a-f]{64}/, 'sha256:../../../../etc/passwd'),
  ],
  'a digest in capitals': [
    'INPUT_MALFORMED',
    ({ index }) => edit(index, /sha256:[0-9a-f]{64}/, `sha256:${'A'.repeat(64)}`),
  ],
  'a negative size': ['INPUT_MALFORMED', ({ index }) => edit(index, /"size":\d+/, '"size":-1')],
  'a size that is a text': ['INPUT_MALFORMED', ({ index }) => edit(index, /"size":\d+/, '"size":"1"')],
  'a manifest of 5 MB': ['INPUT_MALFORMED', ({ replaceManifest }) => replaceManifest(' '.repeat(5_000_000))],
  'a reference of an unknown kind': [
    'INPUT_MALFORMED',
    ({ index }) => edit(index, /image\.manifest\.v1/, 'image.poem.v1'),
  ],
  'an index that is no JSON': ['INPUT_MALFORMED', ({ index }) => writeFileSync(index, '{')],
  'an index that is a manifest, too': [
    'INPUT_MALFORMED',
    ({ index }) => edit(index, /"manifests"/, '"layers":[],"manifests"'),
  ],
  'no index': ['INPUT_MALFORMED', ({ index }) => rmSync(index)],
  'an index behind a link': ['INPUT_MALFORMED', ({ index }) => moved(index)],
  'an empty index': ['INPUT_ABSENT', ({ index }) => writeFileSync(index, indexDocument([]))],
  'no marker': ['INPUT_MALFORMED', ({ layout }) => rmSync(join(layout, 'oci-layout'))],
  'a marker of another version': [
    'INPUT_MALFORMED',
    ({ layout }) => writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.1.0"}'),
  ],
  'blobs behind a link': ['INPUT_MALFORMED', ({ layout }) => moved(join(layout, 'blobs'))],
  'nothing at all': ['INPUT_ABSENT', ({ layout }) => rmSync(layout, { recursive: true })],
};

function edit(path: string, from: RegExp, to: string): void {
  const text = readFileSync(path, 'utf8');
  assert.match(text, from);
  writeFileSync(path, text.replace(from, to));
}

/** The same size, another byte in its middle. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

function moved(path: string): void {
  renameSync(path, `${path}-elsewhere`);
  symlinkSync(`${path}-elsewhere`, path);
}

describe('a layout is not read where it has', () => {
  for (const [what, [code, harm]] of Object.entries(DAMAGED))
    it(what, async (t) => {
      const layout = join(scratch(t), 'app.oci');
      const { image, layers, config } = await commitImage(layout, 'v1', ['one']);
      const blob = (digest = ''): string => join(layout, 'blobs', 'sha256', digest.slice(7));
      const index = join(layout, 'index.json');
      const replaceManifest = (text: string): void => {
        const stage = Stage.open(layout);
        const written = writeDocument(stage, Buffer.from(text));
        renameSync(stage.blobPath(written.digest), blob(written.digest));
        stage.close();
        writeFileSync(index, indexDocument([{ mediaType: MEDIA_TYPES.manifest, ...written }]));
      };
      assert.equal((await readWhole(t, layout)).length, 2);
      harm({
        layout,
        index,
        manifest: blob(image.digest),
        config: blob(config),
        layer: blob(layers[0]),
        replaceManifest,
      });
      await assert.rejects(readWhole(t, layout), hasCode(code));
    });
});
