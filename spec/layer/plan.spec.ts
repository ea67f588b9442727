import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planLayers } from '../../src/layer/plan.ts';
import { type FolderNode, file, folder, symlink } from '../../src/layer/tree.ts';
import { walk } from '../../src/layer/walk.ts';

const APP = '/nix/store/00000000000000000000000000000000-app';
const content = file(Buffer.from('x'));

function tree(store: FolderNode, nix: Record<string, FolderNode> = {}): FolderNode {
  return folder([
    ['nix', folder([['store', store], ...Object.entries(nix)], 0o700)],
    ['app', symlink(APP)],
    ['tmp', folder([], 0o1777)],
  ]);
}

function names(root: FolderNode): string[] {
  return Array.from(walk(root)).flatMap((step) =>
    step.kind === 'leave' ? [] : [step.kind === 'enter' ? `${step.path}/ ${step.node.mode.toString(8)}` : step.path],
  );
}

describe('planLayers', () => {
  const store = folder([
    [APP.slice(11), folder([['file', content]])],
    ['.links', folder([['link', content]])],
  ]);

  it('puts store paths into one layer, whatever else there is', () => {
    const [first] = planLayers(tree(folder([[APP.slice(11), content]])), [APP]);
    assert.deepEqual(names(first?.tree ?? folder([])), ['nix/ 700', 'nix/store/ 755', APP.slice(1)]);
    assert.deepEqual(first?.storePaths, [APP]);
  });

  it('puts the rest into another, without folders that it has nothing in', () => {
    const [, second, ...more] = planLayers(tree(folder([[APP.slice(11), content]])), [APP]);
    assert.deepEqual(names(second?.tree ?? folder([])), ['app', 'tmp/ 1777']);
    assert.deepEqual(second?.storePaths, []);
    assert.deepEqual(more, []);
  });

  it('keeps what lies beside store paths, with the modes of the folders on the way', () => {
    const [first, second] = planLayers(tree(store, { var: folder([['db', content]]) }), [APP]);
    assert.deepEqual(names(first?.tree ?? folder([])), [
      'nix/ 700',
      'nix/store/ 755',
      `${APP.slice(1)}/ 755`,
      `${APP.slice(1)}/file`,
    ]);
    assert.deepEqual(names(second?.tree ?? folder([])), [
      'app',
      'nix/ 700',
      'nix/store/ 755',
      'nix/store/.links/ 755',
      'nix/store/.links/link',
      'nix/var/ 755',
      'nix/var/db',
      'tmp/ 1777',
    ]);
    assert.deepEqual([first?.tree.get('app'), second?.tree.get('none')], [undefined, undefined]);
  });

  it('makes one layer where there is no store path, or nothing else', () => {
    assert.deepEqual(
      planLayers(tree(folder([])), []).map(({ storePaths }) => storePaths),
      [[]],
    );
    const bare = folder([['nix', folder([['store', folder([[APP.slice(11), content]])]])]]);
    assert.deepEqual(
      planLayers(bare, [APP]).map(({ storePaths }) => storePaths),
      [[APP]],
    );
  });
});
