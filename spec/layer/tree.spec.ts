import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Node, byBytes, file, folder, merge, symlink, withNode } from '../../src/layer/tree.ts';
import { content, lines, written } from '../support/trees.ts';

describe('byBytes', () => {
  it('is the order of UTF-8 bytes for any two texts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        assert.equal(Math.sign(byBytes(one, other)), Buffer.compare(Buffer.from(one), Buffer.from(other)));
      }),
      { numRuns: 2000, verbose: true },
    );
  });

  it('puts what lies beyond the surrogates where its bytes are', () => {
    const sorted = [
      '',
      'B',
      'a',
      'a-b',
      'a.b',
      'a/',
      'aa',
      'b',
      '\u007f',
      'ä',
      '\ud7ff',
      '\ue000',
      '\uffff',
      '\u{10000}',
      '𝄞',
      '\u{10ffff}',
    ];
    assert.deepEqual(sorted.toReversed().sort(byBytes), sorted);
    for (const [index, text] of sorted.entries())
      assert.deepEqual(
        sorted.map((other) => Math.sign(byBytes(text, other))),
        sorted.map((_, at) => Math.sign(index - at)),
      );
  });
});

describe('folder', () => {
  it('lists by bytes whatever the order it was made in, and the last of two of a name', () => {
    const one = folder([
      ['b', symlink('1')],
      ['𝄞', symlink('2')],
      ['\ue000', symlink('3')],
      ['a', symlink('4')],
      ['b', symlink('5')],
    ]);
    assert.deepEqual(lines(one), ['a -> 4', 'b -> 5', '\ue000 -> 3', '𝄞 -> 2']);
    assert.equal(one.get('c'), undefined);
    assert.deepEqual(lines(one), lines(one), 'a second listing');
  });
});

describe('merge', () => {
  const first = written({
    both: { mine: 'first', same: 'first' },
    'file-or-folder': 'first',
    link: '-> first',
    only: 'first',
  });
  const second = written({
    aaa: 'second',
    both: { same: 'second', theirs: 'second' },
    'file-or-folder': { lost: 'second' },
    link: { lost: 'second' },
  });

  it('merges folders and otherwise takes the first', () => {
    assert.deepEqual(lines(merge(first, second)), [
      'aaa 644 second',
      'both/ 755',
      'both/mine 644 first',
      'both/same 644 first',
      'both/theirs 644 second',
      'file-or-folder 644 first',
      'link -> first',
      'only 644 first',
    ]);
  });

  it("keeps the first one's mode", () => {
    const merged = merge(
      folder([['tmp', folder([], 0o1777)]], 0o700),
      folder([['tmp', folder([['x', symlink('y')]], 0o755)]], 0o711),
    );
    assert.equal(merged.mode, 0o700);
    assert.deepEqual(lines(merged), ['tmp/ 1777', 'tmp/x -> y']);
  });

  it('looks up what it lists', () => {
    const merged = merge(first, second);
    for (const [name, node] of merged.list()) assert.equal(merged.get(name)?.kind, node.kind, name);
    assert.equal(merged.get('nothing'), undefined);
    const both: Node | undefined = merged.get('both');
    assert.equal(both?.kind === 'folder' && content(both.get('theirs')).toString(), 'second');
  });
});

describe('withNode', () => {
  const tree = written({ tmp: { file: 'kept' }, 'tmp-file': 'x', other: { tmp: {} } });
  const closed = (node: Node | undefined): Node => (node?.kind === 'folder' ? { ...node, mode: 0o1777 } : folder([]));

  it('changes the one node, looked up or listed, and nothing else', () => {
    const changed = withNode(tree, ['tmp'], closed);
    assert.deepEqual(lines(changed), [
      'other/ 755',
      'other/tmp/ 755',
      'tmp/ 1777',
      'tmp/file 644 kept',
      'tmp-file 644 x',
    ]);
    const looked = changed.get('tmp');
    assert.equal(looked?.kind === 'folder' && looked.mode, 0o1777);
    assert.deepEqual(lines(tree)[2], 'tmp/ 755', 'the tree it was made of stays');
  });

  it('makes what is missing, in its place', () => {
    const paths = (path: readonly string[]): readonly string[] =>
      lines(withNode(tree, path, closed)).map((line) => line.split(' ')[0] ?? '');
    assert.deepEqual(paths(['a', 'b']), ['a/', 'a/b/', 'other/', 'other/tmp/', 'tmp/', 'tmp/file', 'tmp-file']);
    assert.deepEqual(paths(['z']), ['other/', 'other/tmp/', 'tmp/', 'tmp/file', 'tmp-file', 'z/']);
    assert.deepEqual(paths(['other', 'a']), ['other/', 'other/a/', 'other/tmp/', 'tmp/', 'tmp/file', 'tmp-file']);
  });

  it('leaves alone what stands in the way', () => {
    assert.deepEqual(lines(withNode(tree, ['tmp-file', 'below'], closed)), lines(tree));
  });
});

it('a file of no bytes gives no piece', () => {
  assert.deepEqual([...file(Buffer.alloc(0)).read()], []);
});
