import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type PackOptions, type PackResult, type ProgressEvent, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, blobOf, documentsOf, labFolder } from '../support/packed.ts';
import { checkAtRest } from '../support/layouts.ts';

const nix = await nixpkgsFixture();

describe('a second pack into the same layout', { skip: nix.skip || missing('bwrap') }, () => {
  let lab: Folder;
  let layout: string;
  let first: PackResult;
  before(async () => {
    lab = await labFolder();
    layout = join(lab.folder, 'app.oci');
    first = (await packed()).result;
  });
  after(() => lab.remove());

  /** Packs, and counts the bytes that went into layers. */
  async function packed(options: Partial<PackOptions> = {}): Promise<{ result: PackResult; bytes: number }> {
    const input = fixture('expressions', 'tiny.nix');
    let bytes = 0;
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === 'pack') bytes = event.bytes;
    };
    const result = await pack({ input, output: layout, env: cleanEnvironment(), onProgress, ...options });
    checkAtRest(layout);
    return { result, bytes };
  }

  it('takes the layer of store paths as it is, and says that nothing changed', async () => {
    const old = statSync(pathOf(first));
    const { result, bytes } = await packed();
    assert.deepEqual({ ...result, unchanged: false }, first);
    assert.equal(result.unchanged, true);
    assert.ok(bytes < 10_000, `${bytes} bytes were packed`);
    assert.equal(statSync(pathOf(first)).ino, old.ino);
  });

  it('takes it for another configuration, too', async () => {
    const { result, bytes } = await packed({ cmd: ['other'], user: '1234' });
    assert.equal(result.unchanged, false);
    assert.equal(result.layers[0]?.digest, first.layers[0]?.digest);
    assert.notEqual(result.layers[1]?.digest, first.layers[1]?.digest);
    assert.ok(bytes < 10_000, `${bytes} bytes were packed`);
  });

  it('packs what another recipe made', async () => {
    const { result, bytes } = await packed({ encoder: 'zlib' });
    assert.ok(bytes > 10_000);
    assert.equal(result.layers[0]?.diffId, first.layers[0]?.diffId);
    await packed();
  });

  it('looks at the layout when all is built: it may be gone by then', async () => {
    const input = join(lab.folder, 'traced.nix');
    writeFileSync(input, `builtins.trace "evaluated" (${readFileSync(fixture('expressions', 'tiny.nix'), 'utf8')})`);
    let [removed, bytes] = [false, 0];
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind === 'pack') bytes = event.bytes;
      if (event.kind !== 'nix' || !event.line.includes('evaluated')) return;
      rmSync(layout, { recursive: true, force: true });
      removed = true;
    };
    const { result } = await packed({ input, onProgress });
    assert.ok(removed);
    assert.ok(bytes > 10_000, `${bytes} bytes were packed`);
    assert.equal(result.digest, first.digest);
  });

  it('packs what the layout has damaged', async () => {
    appendFileSync(pathOf(first), 'x');
    const { result, bytes } = await packed();
    assert.ok(bytes > 10_000);
    assert.equal(result.digest, first.digest);
    assert.equal(statSync(pathOf(first)).size, first.layers[0]?.size);
    const damaged = Buffer.from(blobOf(layout, first.layers[0]?.digest ?? ''));
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    writeFileSync(pathOf(first), damaged);
    assert.ok((await packed()).bytes > 10_000);
  });

  it('packs what the record tells otherwise: another hash, another diff_id', async () => {
    for (const [what, other] of [
      ['"narHash":"sha256:', '"narHash":"sha256:00000000'],
      ['"diffId":"sha256:', '"diffId":"sha256:00000000'],
    ] as const) {
      forge(layout, (text) => text.replaceAll(JSON.stringify(what).slice(1, -1), JSON.stringify(other).slice(1, -1)));
      const { result, bytes } = await packed();
      assert.ok(bytes > 10_000, what);
      assert.equal(result.digest, first.digest);
    }
  });

  function pathOf({ layers }: PackResult): string {
    return join(layout, 'blobs', (layers[0]?.digest ?? '').replace(':', '/'));
  }
});

/** Puts another manifest into a layout, under its right digest: whoever may write a layout can do that. */
function forge(layout: string, change: (text: string) => string): void {
  const { descriptor } = documentsOf(layout);
  const text = readFileSync(join(layout, 'blobs', descriptor.digest.replace(':', '/')), 'utf8');
  const forged = change(text);
  assert.notEqual(forged, text);
  writeBlobAndIndex(layout, descriptor.digest, forged);
}

function writeBlobAndIndex(layout: string, old: string, content: string): void {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  writeFileSync(join(layout, 'blobs', digest.replace(':', '/')), content);
  const index = readFileSync(join(layout, 'index.json'), 'utf8');
  const size = /"size":\d+/;
  writeFileSync(
    join(layout, 'index.json'),
    index.replace(old, digest).replace(size, `"size":${Buffer.byteLength(content)}`),
  );
}
