import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DEFAULT_LIMITS } from '../../src/layer/archive-limits.ts';
import { readArchive } from '../../src/layer/read-archive.ts';
import { commitToArchive } from '../../src/layout/archive.ts';
import { Stage } from '../../src/layout/stage.ts';
import { hasCode } from '../support/codes.ts';
import { checkAtRest, commitImage, stageImage } from '../support/layouts.ts';
import { scratch } from '../support/scratch.ts';
import { noSmallDisk, withSmallDisk } from '../support/small-disk.ts';
import { archive, file } from '../support/tars.ts';

/** What no compression makes small enough. */
function dense(bytes: number): string {
  let state = 3;
  return Array.from({ length: bytes }, () =>
    String.fromCharCode(33 + ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 26)),
  ).join('');
}

describe('a full disk', { skip: noSmallDisk }, () => {
  it('is an error of this machine, and nothing is left of a new layout', () =>
    withSmallDisk(1, async (disk) => {
      await assert.rejects(commitImage(join(disk, 'app.oci'), 'latest', [dense(3_000_000)]), hasCode('LOCAL_IO'));
      assert.deepEqual(readdirSync(disk), []);
    }));

  it('leaves the layout that was there', () =>
    withSmallDisk(1, async (disk) => {
      const layout = join(disk, 'app.oci');
      const { image } = await commitImage(layout, 'latest', [dense(200_000)]);
      await assert.rejects(commitImage(layout, 'latest', [dense(3_000_000)]), hasCode('LOCAL_IO'));
      assert.deepEqual(checkAtRest(layout), { latest: image.digest });
    }));

  it('leaves nothing of an archive, and the archive that was there', () =>
    withSmallDisk(1, async (disk) => {
      const path = join(disk, 'app.tar');
      writeFileSync(path, 'precious');
      const stage = Stage.open(path);
      const staged = await stageImage(stage, [dense(800_000)]);
      const writing = commitToArchive(stage, staged, { path, name: 'app', tag: 'latest' });
      await assert.rejects(writing, hasCode('LOCAL_IO'));
      stage.close();
      assert.deepEqual(readdirSync(disk), ['app.tar']);
      assert.equal(readFileSync(path, 'utf8'), 'precious');
    }));

  it('has no room for the spool', (t) =>
    withSmallDisk(1, async (disk) => {
      const input = join(scratch(t), 'input.tar.gz');
      writeFileSync(input, gzipSync(archive(file('a', dense(3_000_000)))));
      await assert.rejects(readArchive(input, { limits: DEFAULT_LIMITS, spoolFolder: disk }), hasCode('LOCAL_IO'));
      assert.deepEqual(readdirSync(disk), []);
    }));
});
