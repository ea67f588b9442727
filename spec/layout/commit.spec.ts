import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Stage } from '../../src/layout/stage.ts';
import { writeDocument } from '../../src/layout/write-document.ts';
import { indexDocument } from '../../src/oci/manifest.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import { hasCode } from '../support/codes.ts';
import { beside, checkAtRest, checkLayout, commitImage } from '../support/layouts.ts';
import { asPlainUser } from '../support/plain-user.ts';
import { scratch } from '../support/scratch.ts';

describe('a commit into a folder', () => {
  it('makes a new layout', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const { image, unchanged } = await commitImage(layout, 'latest', ['one', 'two']);
    assert.deepEqual(checkAtRest(layout), { latest: image.digest });
    assert.equal(unchanged, false);
  });

  it('writes the tag alone as the reference, on the descriptor in index.json, with the platform', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const { image } = await commitImage(layout, 'v1', ['one']);
    assert.deepEqual(JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')), {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.index,
      manifests: [
        {
          mediaType: MEDIA_TYPES.manifest,
          digest: image.digest,
          size: image.size,
          annotations: { 'org.opencontainers.image.ref.name': 'v1' },
          platform: { os: 'linux', architecture: 'amd64' },
        },
      ],
    });
  });

  it('takes an empty folder', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    mkdirSync(layout);
    const { image } = await commitImage(layout, 'latest', ['one']);
    assert.deepEqual(checkAtRest(layout), { latest: image.digest });
  });

  it('adds a reference, and keeps the others', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const one = await commitImage(layout, 'one', ['shared', 'one']);
    const two = await commitImage(layout, 'two', ['shared', 'two']);
    assert.deepEqual(checkAtRest(layout), { one: one.image.digest, two: two.image.digest });
    assert.equal(readdirSync(join(layout, 'blobs', 'sha256')).length, 3 + 2 + 2);
  });

  it('takes away what only the replaced reference needed', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const kept = await commitImage(layout, 'kept', ['shared', 'kept']);
    await commitImage(layout, 'latest', ['shared', 'old', 'older']);
    const latest = await commitImage(layout, 'latest', ['shared', 'new']);
    assert.equal(latest.unchanged, false);
    assert.deepEqual(checkAtRest(layout), { kept: kept.image.digest, latest: latest.image.digest });
    assert.equal(readdirSync(join(layout, 'blobs', 'sha256')).length, 3 + 2 + 2);
  });

  it('says that nothing changed where the very image was there under the tag', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    await commitImage(layout, 'latest', ['one']);
    const before = readFileSync(join(layout, 'index.json'), 'utf8');
    assert.equal((await commitImage(layout, 'latest', ['one'])).unchanged, true);
    assert.equal(readFileSync(join(layout, 'index.json'), 'utf8'), before);
    assert.equal((await commitImage(layout, 'other', ['one'])).unchanged, false);
    checkAtRest(layout);
  });

  it('keeps what an index inside needs, and takes what a kill left', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const { image } = await commitImage(layout, 'one', ['one']);
    const stage = Stage.open(layout);
    const inner = writeDocument(stage, indexDocument([image]));
    renameSync(stage.blobPath(inner.digest), join(layout, 'blobs', 'sha256', inner.digest.slice(7)));
    stage.close();
    writeFileSync(join(layout, 'index.json'), indexDocument([{ mediaType: MEDIA_TYPES.index, ...inner }]));
    const stray = join(layout, 'blobs', 'sha256', '0'.repeat(64));
    writeFileSync(stray, 'left by a kill');
    await commitImage(layout, 'two', ['two']);
    assert.ok(!existsSync(stray));
    for (const { digest } of [image, inner])
      assert.ok(existsSync(join(layout, 'blobs', 'sha256', digest.slice(7))), digest);
  });

  it('keeps references to what the layout does not hold', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    await commitImage(layout, 'one', ['one']);
    const elsewhere = { mediaType: MEDIA_TYPES.manifest, digest: `sha256:${'0'.repeat(64)}`, size: 1 } as const;
    writeFileSync(join(layout, 'index.json'), indexDocument([elsewhere]));
    await commitImage(layout, 'two', ['two']);
    const index: { readonly manifests: readonly { readonly digest: string }[] } = JSON.parse(
      readFileSync(join(layout, 'index.json'), 'utf8'),
    );
    assert.deepEqual(index.manifests[0]?.digest, elsewhere.digest);
    assert.equal(index.manifests.length, 2);
  });
});

/** A target that is something else already. */
const TAKEN: Readonly<Record<string, (path: string) => void>> = {
  'a folder with other files': (path) => {
    mkdirSync(path);
    writeFileSync(join(path, 'precious'), 'x');
  },
  'a file': (path) => writeFileSync(path, 'x'),
  'a link to nothing that could be made': (path) => symlinkSync('/proc/nothing/here', path),
};

/** Runs `use` while nobody but root may write to these folders. */
async function readOnly(folders: readonly string[], use: () => Promise<void>): Promise<void> {
  for (const path of folders) chmodSync(path, 0o555);
  try {
    await asPlainUser(use);
  } finally {
    for (const path of folders) chmodSync(path, 0o755);
  }
}

describe('a commit is refused', () => {
  for (const [what, make] of Object.entries(TAKEN))
    it(`where there is ${what}, which stays as it is`, async (t) => {
      const layout = join(scratch(t), 'app.oci');
      make(layout);
      await assert.rejects(commitImage(layout, 'latest', ['one']), hasCode('LOCAL_IO'));
      assert.deepEqual(beside(layout), []);
      if (what.startsWith('a folder')) assert.deepEqual(readdirSync(layout), ['precious']);
      if (what === 'a file') assert.equal(readFileSync(layout, 'utf8'), 'x');
    });

  it('where no folder could hold it', async (t) => {
    const place = scratch(t);
    writeFileSync(join(place, 'file'), '');
    for (const layout of [join(place, 'file', 'app.oci'), join(place, 'nothing', 'app.oci'), '/proc/app.oci'])
      await assert.rejects(commitImage(layout, 'latest', ['one']), hasCode('LOCAL_IO'), layout);
    assert.deepEqual(readdirSync(place), ['file']);
  });

  it('where this user may not write, and nothing is left', async (t) => {
    const place = scratch(t);
    const layout = join(place, 'app.oci');
    await commitImage(layout, 'latest', ['one']);
    const all = [place, layout, join(layout, 'blobs'), join(layout, 'blobs', 'sha256')];
    await readOnly(all, async () => {
      await assert.rejects(commitImage(layout, 'latest', ['two']), hasCode('LOCAL_IO'));
      await assert.rejects(commitImage(join(place, 'new.oci'), 'latest', ['two']), hasCode('LOCAL_IO'));
    });
    checkAtRest(layout);
    assert.deepEqual(readdirSync(place), ['app.oci']);
  });

  it('where only the layout itself cannot be written, and it stays as it was', async (t) => {
    const place = scratch(t);
    const layout = join(place, 'app.oci');
    const { image } = await commitImage(layout, 'latest', ['one']);
    chmodSync(place, 0o777);
    await readOnly([layout, join(layout, 'blobs', 'sha256')], () =>
      assert.rejects(commitImage(layout, 'latest', ['two']), hasCode('LOCAL_IO')),
    );
    assert.deepEqual(checkAtRest(layout), { latest: image.digest });
  });

  it('of an unknown version of the layout, or without an index', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    await commitImage(layout, 'latest', ['one']);
    writeFileSync(join(layout, 'index.json'), 'not JSON');
    await assert.rejects(commitImage(layout, 'latest', ['two']), hasCode('INPUT_MALFORMED'));
    writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    await assert.rejects(commitImage(layout, 'latest', ['two']), hasCode('INPUT_MALFORMED'));
    assert.deepEqual(beside(layout), []);
  });

  it('over a reference that cannot be read, before anything changed', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const { image } = await commitImage(layout, 'broken', ['one']);
    writeFileSync(join(layout, 'blobs', 'sha256', image.digest.slice(7)), 'not a manifest');
    const before = [
      readFileSync(join(layout, 'index.json'), 'utf8'),
      readdirSync(join(layout, 'blobs', 'sha256')).sort(),
    ];
    await assert.rejects(commitImage(layout, 'latest', ['two']), hasCode('INPUT_MALFORMED'));
    assert.deepEqual(
      [readFileSync(join(layout, 'index.json'), 'utf8'), readdirSync(join(layout, 'blobs', 'sha256')).sort()],
      before,
    );
    assert.deepEqual(beside(layout), []);
    const { image: again } = await commitImage(layout, 'broken', ['two']);
    assert.deepEqual(checkLayout(layout).tags, { broken: again.digest }, 'the reference itself can be replaced');
  });

  it('once the caller gave up', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const stopped = AbortSignal.abort();
    await assert.rejects(commitImage(layout, 'latest', ['one'], stopped), hasCode('ABORTED'));
    assert.ok(!existsSync(layout));
    assert.deepEqual(beside(layout), []);
  });
});
