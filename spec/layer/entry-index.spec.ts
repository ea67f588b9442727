import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readRange } from '../../src/layer/read-range.ts';
import { type Contents, EntryIndex, ROOT } from '../../src/layer/entry-index.ts';
import { scratch } from '../support/scratch.ts';
import { lines } from '../support/trees.ts';

/** The same by a plain map: what is at each path, parents as the key's beginning. */
interface Model {
  readonly [path: string]: string;
}

type Put =
  | { readonly do: 'folder' | 'file' | 'link'; readonly path: readonly string[]; readonly text: string }
  | { readonly do: 'copy'; readonly path: readonly string[]; readonly of: readonly string[] };

const CONTENT = 'abcdefghijklmnopqrstuvwxyz';

/** Few names, so that they meet often; some hash alike, some are the beginning of others. */
const named = fc.constantFrom('a', 'b', 'a-b', 'ä', '𝄞', '\ue000');
const path = fc.array(named, { minLength: 1, maxLength: 4 });
const put: fc.Arbitrary<Put> = fc.oneof(
  fc.record({ do: fc.constantFrom('folder', 'file', 'link'), path, text: fc.constantFrom(...Array.from(CONTENT)) }),
  fc.record({ do: fc.constant('copy'), path, of: path }),
);

function modelAfter(model: Model, step: Put): Model | null {
  const parents = step.path.slice(0, -1).map((_, depth) => step.path.slice(0, depth + 1).join('/'));
  if (parents.some((parent) => (model[parent] ?? 'folder') !== 'folder')) return null;
  const key = step.path.join('/');
  const source = step.do === 'copy' ? model[step.of.join('/')] : undefined;
  if (step.do === 'copy' && (source === undefined || source === 'folder')) return null;
  const implied = Object.fromEntries(parents.map((parent) => [parent, 'folder']));
  if (step.do === 'folder') return { ...model, ...implied, [key]: 'folder' };
  const kept = Object.entries(model).filter(([other]) => !other.startsWith(`${key}/`));
  return { ...Object.fromEntries(kept), ...implied, [key]: source ?? `${step.do} ${'text' in step ? step.text : ''}` };
}

function apply(index: EntryIndex, step: Put): void {
  let parent = ROOT;
  for (const part of step.path.slice(0, -1))
    parent = index.find(parent, part) ?? index.putImpliedFolder(parent, part, 0o755);
  const last = step.path.at(-1) ?? '';
  switch (step.do) {
    case 'folder':
      index.putFolder(parent, last, 0o755);
      return;
    case 'file':
      index.putFile(parent, last, 0o644, CONTENT.indexOf(step.text), 1);
      return;
    case 'link':
      index.putSymlink(parent, last, step.text);
      return;
    case 'copy': {
      const of = step.of.reduce<number | null>((at, part) => (at === null ? null : index.find(at, part)), ROOT);
      assert.notEqual(of, null);
      index.putCopy(parent, last, of ?? ROOT, 0o644);
      return;
    }
  }
}

/** A model's lines, in the order of a listing. */
function modelLines(model: Model): string[] {
  const below = (prefix: string): string[] =>
    Object.keys(model)
      .filter((key) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
      .flatMap((key) => {
        const [kind, text] = (model[key] ?? '').split(' ');
        if (kind === 'folder') return [`${key}/ 755`, ...below(`${key}/`)];
        return [kind === 'link' ? `${key} -> ${text}` : `${key} 644 ${text}`];
      });
  return below('');
}

function spoolIn(folder: string): Contents & { readonly close: () => void } {
  writeFileSync(join(folder, 'spool'), CONTENT);
  const fd = openSync(join(folder, 'spool'), 'r');
  return { read: (start, size) => readRange(fd, { start, size, path: 'spool' }), close: () => closeSync(fd) };
}

describe('EntryIndex', () => {
  it('is a map of paths, whatever is put into it in whatever order', (t) => {
    const spool = spoolIn(scratch(t));
    t.after(spool.close);
    fc.assert(
      fc.property(fc.array(put, { maxLength: 60 }), (steps) => {
        const index = new EntryIndex();
        let model: Model = {};
        for (const step of steps) {
          const next = modelAfter(model, step);
          if (next === null) continue;
          model = next;
          apply(index, step);
        }
        assert.deepEqual(lines(index.tree(spool)), modelLines(model));
      }),
      { numRuns: 1000 },
    );
  });

  it('grows beyond its first capacity, also by names and targets longer than it', (t) => {
    const spool = spoolIn(scratch(t));
    t.after(spool.close);
    const index = new EntryIndex();
    const target = 't'.repeat(2_000_000);
    index.putSymlink(ROOT, 'long', target);
    for (let number = 0; number < 70_000; number++)
      index.putFile(index.putFolder(ROOT, `d${number % 300}`, 0o755), `f${number}`, 0o644, 3, 2);
    const listed = lines(index.tree(spool));
    assert.equal(listed.length, 70_000 + 300 + 1);
    assert.ok(listed.includes('d7/f307 644 de'));
    assert.ok(listed.includes(`long -> ${target}`));
    assert.equal(index.count, 70_301);
  });

  it('tells a folder that an entry made from one that is only implied', () => {
    const index = new EntryIndex();
    const folder = index.putImpliedFolder(ROOT, 'nix', 0o555);
    assert.deepEqual([index.isImplied(folder), index.mode(folder), index.kind(folder)], [true, 0o555, 'folder']);
    assert.equal(index.putFolder(ROOT, 'nix', 0o700), folder);
    assert.deepEqual([index.isImplied(folder), index.mode(folder)], [false, 0o700]);
  });

  it('forgets what was below a folder that a file replaced, for good', (t) => {
    const spool = spoolIn(scratch(t));
    t.after(spool.close);
    const index = new EntryIndex();
    const folder = index.putFolder(ROOT, 'd', 0o755);
    index.putFile(folder, 'x', 0o644, 0, 1);
    index.putFile(index.putFolder(folder, 'deep', 0o755), 'y', 0o644, 0, 1);
    index.putFile(ROOT, 'd', 0o644, 1, 1);
    assert.equal(index.find(folder, 'x'), null);
    index.putFolder(ROOT, 'd', 0o755);
    assert.deepEqual(lines(index.tree(spool)), ['d/ 755']);
    index.putFile(folder, 'x', 0o600, 2, 1);
    index.putFile(folder, 'x', 0o600, 2, 1);
    assert.deepEqual(lines(index.tree(spool)), ['d/ 755', 'd/x 600 c']);
  });

  it('copies out of the folder that the copy replaces', (t) => {
    const spool = spoolIn(scratch(t));
    t.after(spool.close);
    const index = new EntryIndex();
    const inner = index.putFile(index.putFolder(ROOT, 'd', 0o755), 'x', 0o755, 4, 2);
    index.putCopy(ROOT, 'd', inner, 0o755);
    assert.deepEqual(lines(index.tree(spool)), ['d 755 ef']);
  });
});

/**
 * Pairs of texts that lead FNV-1a from one state to the same other one, each pair from where the one before it ended: 17
 * pairs are 2^17 names of one hash, hours of probing if the hash could be foreseen.
 */
const COLLIDING =
  '01vl8 0ipd6,04pvu 0b3ea,05rnw 0mpba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba,07rnw 0opba'
    .split(',')
    .map((pair) => pair.split(' '));

function fnv(text: string): number {
  let hash = Math.imul(0x811c9dc5, 0x01000193);
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

it('is not slowed down by names that were made to collide', { timeout: 60_000 }, () => {
  const names = COLLIDING.reduce((all, pair) => all.flatMap((name) => pair.map((text) => name + text)), ['']);
  assert.equal(new Set(names).size, 2 ** 17);
  assert.equal(new Set(names.slice(0, 1000).map(fnv)).size, 1);
  const index = new EntryIndex();
  for (const name of names) index.putFile(ROOT, name, 0o644, 0, 0);
  assert.equal(index.count, 2 ** 17);
});
