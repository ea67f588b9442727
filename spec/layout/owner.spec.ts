import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownerIsGone, ownerTag } from '../../src/layout/owner.ts';
import { compiled, startChild } from '../support/child.ts';
import { missing } from '../support/fixtures.ts';

const TELL = `
  import { ownerTag } from ${compiled('../../src/layout/owner.ts')};
  console.log(ownerTag());
  setInterval(() => undefined, 1000);
`;

/** The process that a tag names. */
function pidOf(tag: string): number {
  return Number(tag.split('.')[2]);
}

describe("an owner's tag", () => {
  it("fits into a file's name and names this process", () => {
    assert.match(ownerTag(), /^[0-9a-f]{8}\.[0-9]+\.[0-9]+\.[0-9]+$/);
    assert.equal(pidOf(ownerTag()), process.pid);
    assert.equal(ownerTag(), ownerTag());
  });

  it('is judged by boot, namespace, process and start', () => {
    const [boot = '', namespace = '', pid = '', start = ''] = ownerTag().split('.');
    const CASES: Readonly<Record<string, readonly [tag: string, gone: boolean]>> = {
      'this process': [ownerTag(), false],
      'another boot': [['00000000', namespace, pid, start].join('.'), true],
      'another container': [[boot, '1', pid, start].join('.'), false],
      'a number that was used again': [[boot, namespace, pid, `${start}1`].join('.'), true],
      'no such process': [[boot, namespace, '999999999', start].join('.'), true],
      'something else': ['lock', false],
      nothing: ['', false],
    };
    for (const [what, [tag, gone]] of Object.entries(CASES)) assert.equal(ownerIsGone(tag), gone, what);
  });

  it('is of a living process until that is killed', async () => {
    const child = startChild(TELL);
    const tag = await child.line;
    assert.equal(ownerIsGone(tag), false);
    await child.kill();
    assert.equal(ownerIsGone(tag), true);
  });

  it('is of a dead process also where nobody waited for it', { skip: missing('bash', 'sleep') }, async () => {
    // The shell becomes a sleep that never waits for the child it got: what was killed stays in the process table.
    const parent = spawn('bash', [
      '-c',
      '"$0" --input-type=module --eval "$1" & exec sleep 60',
      process.execPath,
      TELL,
    ]);
    let stdout = '';
    for await (const text of parent.stdout) {
      stdout += String(text);
      if (stdout.includes('\n')) break;
    }
    const tag = stdout.trim();
    assert.equal(ownerIsGone(tag), false);
    process.kill(pidOf(tag), 'SIGKILL');
    const state = (): string | undefined => /\) (\S)/.exec(readFileSync(`/proc/${pidOf(tag)}/stat`, 'latin1'))?.[1];
    while (state() !== 'Z') await sleep(5);
    assert.equal(ownerIsGone(tag), true);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
});
