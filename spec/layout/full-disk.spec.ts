import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DEFAULT_LIMITS, readArchive } from '../../src/layer/read-archive.ts';
import { commitToArchive } from '../../src/layout/archive.ts';
import { Stage } from '../../src/layout/stage.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { checkAtRest, commitImage, stageImage } from '../support/layouts.ts';
import { scratch } from '../support/scratch.ts';
import { archive, file } from '../support/tars.ts';

const skip =
  process.geteuid?.() === 0 ? missing('mount', 'umount') || mountForbidden() : 'mounting a small tmpfs needs root';

function mountForbidden(): string | false {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' });
    return false;
  } catch {
    return 'this machine forbids mounting a tmpfs';
  }
}

/** A disk of one mebibyte. */
function smallDisk(t: TestContext): string {
  const folder = scratch(t);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=755', 'tmpfs', folder]);
  return folder;
}

/** What no compression makes small enough. */
function dense(bytes: number): string {
  let state = 3;
  return Array.from({ length: bytes }, () =>
    String.fromCharCode(33 + ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 26)),
  ).join('');
}

describe('a full disk', { skip }, () => {
  it('is an error of this machine, and nothing is left of a new layout', async (t) => {
    const disk = smallDisk(t);
    try {
      await assert.rejects(commitImage(join(disk, 'app.oci'), 'latest', [dense(3_000_000)]), hasCode('LOCAL_IO'));
      assert.deepEqual(readdirSync(disk), []);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('leaves the layout that was there', async (t) => {
    const disk = smallDisk(t);
    try {
      const layout = join(disk, 'app.oci');
      const { image } = await commitImage(layout, 'latest', [dense(200_000)]);
      await assert.rejects(commitImage(layout, 'latest', [dense(3_000_000)]), hasCode('LOCAL_IO'));
      assert.deepEqual(checkAtRest(layout), { latest: image.digest });
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('leaves nothing of an archive, and the archive that was there', async (t) => {
    const disk = smallDisk(t);
    try {
      const path = join(disk, 'app.tar');
      writeFileSync(path, 'precious');
      const stage = Stage.open(path);
      const staged = await stageImage(stage, [dense(800_000)]);
      const writing = commitToArchive(stage, staged, { path, name: 'app', tag: 'latest' });
      await assert.rejects(writing, hasCode('LOCAL_IO'));
      stage.close();
      assert.deepEqual(readdirSync(disk), ['app.tar']);
      assert.equal(readFileSync(path, 'utf8'), 'precious');
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  it('has no room for the spool', async (t) => {
    const disk = smallDisk(t);
    try {
      const input = join(scratch(t), 'input.tar.gz');
      writeFileSync(input, gzipSync(archive(file('a', dense(3_000_000)))));
      await assert.rejects(readArchive(input, { limits: DEFAULT_LIMITS, spoolFolder: disk }), hasCode('LOCAL_IO'));
      assert.deepEqual(readdirSync(disk), []);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
