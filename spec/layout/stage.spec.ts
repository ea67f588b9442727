import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import type { BlobSink } from '../../src/layer/blob.ts';
import { ownerTag } from '../../src/layout/owner.ts';
import { Stage, besidePrefix } from '../../src/layout/stage.ts';
import { digestOf } from '../../src/oci/document-digest.ts';
import { compiled, startChild } from '../support/child.ts';
import { hasCode } from '../support/codes.ts';
import { beside } from '../support/layouts.ts';
import { scratch } from '../support/scratch.ts';

const STAGING = `
  import { Stage } from ${compiled('../../src/layout/stage.ts')};
  import { writeDocument } from ${compiled('../../src/layout/write-document.ts')};
  const stage = Stage.open(LAYOUT);
  writeDocument(stage, Buffer.from('half-done'));
  console.log(stage.folder);
  setInterval(() => undefined, 1000);
`;

function staging(layout: string): ReturnType<typeof startChild> {
  return startChild(STAGING.replace('LAYOUT', JSON.stringify(layout)));
}

describe('a stage', () => {
  it('is a private folder beside the output, and gone when it is closed', (t) => {
    const layout = join(scratch(t), 'app.oci');
    const stage = Stage.open(layout);
    assert.equal(statSync(stage.folder).mode & 0o777, 0o700);
    assert.equal(beside(layout).length, 1);
    stage.close();
    stage.close();
    assert.deepEqual(beside(layout), []);
  });

  it('gives a blob its name once its digest is known, not before', async (t) => {
    const stage = Stage.open(join(scratch(t), 'app.oci'));
    t.after(() => stage.close());
    const blobs = join(stage.layout, 'blobs', 'sha256');
    const content = Buffer.from('content');
    const { digest } = await stage.writeBlob(async (sink) => {
      await sink(content);
      assert.deepEqual(readdirSync(blobs), []);
      return { digest: digestOf(content) };
    });
    assert.deepEqual(readdirSync(blobs), [digest.slice(7)]);
    assert.deepEqual(readFileSync(stage.blobPath(digest)), content);
  });

  it('keeps nothing of a blob that failed, and its error', async (t) => {
    const stage = Stage.open(join(scratch(t), 'app.oci'));
    t.after(() => stage.close());
    const failing = stage.writeBlob(async (sink) => {
      await sink(Buffer.from('some'));
      throw new OciPloneError('INPUT_MALFORMED', 'cut off');
    });
    await assert.rejects(failing, hasCode('INPUT_MALFORMED'));
    assert.deepEqual(readdirSync(stage.folder), ['layout']);
    assert.deepEqual(readdirSync(join(stage.layout, 'blobs', 'sha256')), []);
  });

  it('keeps nothing of a blob that turns out to be none', async (t) => {
    const stage = Stage.open(join(scratch(t), 'app.oci'));
    t.after(() => stage.close());
    await stage.writeBlob(async (sink) => {
      await sink(Buffer.from('some'));
      return { digest: null };
    });
    assert.deepEqual(readdirSync(stage.folder), ['layout']);
    assert.deepEqual(readdirSync(join(stage.layout, 'blobs', 'sha256')), []);
  });

  it('takes nothing of a blob any more that has failed, though its file’s number is another’s by then', async (t) => {
    const stage = Stage.open(join(scratch(t), 'app.oci'));
    t.after(() => stage.close());
    let late: BlobSink = () => Promise.resolve();
    const failing = stage.writeBlob((sink) => {
      late = sink;
      return Promise.reject(new OciPloneError('INPUT_MALFORMED', 'cut off'));
    });
    await assert.rejects(failing);
    const content = Buffer.from('of another');
    const { digest } = await stage.writeBlob(async (sink) => {
      await assert.rejects(late(Buffer.from('late')), /is closed/);
      await sink(content);
      return { digest: digestOf(content) };
    });
    assert.deepEqual(readFileSync(stage.blobPath(digest)), content);
  });

  it('of a process that was killed is removed by the next one', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const child = staging(layout);
    const left = await child.line;
    await child.kill();
    assert.equal(join(layout, '..', beside(layout)[0] ?? ''), left);
    const stage = Stage.open(layout);
    assert.deepEqual(beside(layout), [stage.folder.split('/').at(-1)]);
    stage.close();
  });

  it('of a living process is left alone, and one of another output, too', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const [living, other] = [staging(layout), staging(`${layout}-2`)];
    t.after(() => Promise.all([living.kill(), other.kill()]));
    const folders = await Promise.all([living.line, other.line]);
    await other.kill();
    Stage.open(layout).close();
    assert.deepEqual(
      beside(layout)
        .map((name) => join(layout, '..', name))
        .sort(),
      folders.toSorted(),
    );
  });

  it('of another container is left to time', (t) => {
    const place = scratch(t);
    const layout = join(place, 'app.oci');
    const [boot] = ownerTag().split('.');
    const make = (name: string, age: number): string => {
      const path = `${besidePrefix(layout)}-${name}`;
      mkdirSync(join(place, path));
      writeFileSync(join(place, path, 'file'), '');
      const then = Date.now() / 1000 - age;
      utimesSync(join(place, path), then, then);
      return path;
    };
    const day = 24 * 3600;
    const young = make(`${boot}.1.2.3-abc`, day);
    make(`${boot}.1.2.3-old`, 8 * day);
    make('ffffffff.1.2.3-abc', 0);
    Stage.open(layout).close();
    assert.deepEqual(beside(layout), [young]);
  });
});
