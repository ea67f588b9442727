import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { withLock } from '../../src/layout/lock.ts';
import { ownerIsGone, ownerTag } from '../../src/layout/owner.ts';
import { hasCode } from '../support/codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'lock-'));
after(() => rmSync(folder, { recursive: true }));

/** This process's tag with one of its four parts changed. */
function changed(part: number, value: string): string {
  const parts = ownerTag().split('.');
  parts[part] = value;
  return parts.join('.');
}

describe('an owner', () => {
  const cases: readonly (readonly [what: string, tag: string, gone: boolean])[] = [
    ['that is this process', ownerTag(), false],
    ['of an earlier boot', changed(0, '00000000'), true],
    ['of another container, which nobody here can judge', changed(1, '1'), false],
    ['whose number another process has by now', changed(3, '1'), true],
    ['whose process is gone', changed(2, '4194305'), true],
    ['that is no tag', 'something', false],
  ];
  for (const [what, tag, gone] of cases) it(what, () => assert.equal(ownerIsGone(tag), gone));
});

describe('a lock', () => {
  it('is held by one at a time, and is gone afterwards', async () => {
    const path = join(folder, 'one');
    let holders = 0;
    let most = 0;
    const use = async (): Promise<void> => {
      most = Math.max(most, ++holders);
      await new Promise((resolve) => void setTimeout(resolve, 5));
      holders -= 1;
    };
    const numbers = Array.from({ length: 8 }, (_, number) => number);
    await Promise.all(numbers.map((number) => withLock(path, { temporary: `${path}-${number}` }, use)));
    assert.equal(most, 1);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is let go by who fails', async () => {
    const path = join(folder, 'failing');
    const failing = withLock(path, { temporary: `${path}-temporary` }, () => Promise.reject(new RangeError('here')));
    await assert.rejects(failing, RangeError);
    assert.equal(existsSync(path), false);
  });

  it('is taken from who was killed', async () => {
    const path = join(folder, 'left');
    writeFileSync(path, changed(2, '4194305'));
    const seen = await withLock(path, { temporary: `${path}-temporary` }, () =>
      Promise.resolve(readFileSync(path, 'utf8')),
    );
    assert.equal(seen, ownerTag());
    assert.deepEqual(readdirSync(folder), []);
  });

  it('is waited for until the caller has enough', async () => {
    const path = join(folder, 'held');
    writeFileSync(path, ownerTag());
    const signal = AbortSignal.timeout(60);
    const waiting = withLock(path, { temporary: `${path}-temporary`, signal }, () => Promise.resolve());
    await assert.rejects(waiting, hasCode('ABORTED'));
    assert.deepEqual(readdirSync(folder), ['held']);
  });
});
