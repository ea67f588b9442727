import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, compiled, startChild } from '../support/child.ts';
import { checkAtRest, checkLayout, commitImage } from '../support/layouts.ts';
import { scratch } from '../support/scratch.ts';

/** A process that commits so many images, one after the other, each under a tag of its own or all under one. */
function committer(
  layout: string,
  options: { readonly name: string; readonly count: number; readonly tags: number },
): Child {
  const { name, count, tags } = options;
  return startChild(`
    import { commitImage } from ${compiled('../support/layouts.ts')};
    const text = 'a text that takes a while to be written '.repeat(20_000);
    console.log('begun');
    for (let number = 0; number < ${count}; number++)
      await commitImage(${JSON.stringify(layout)}, '${name}' + (number % ${tags}), ['shared', text + '${name}' + number]);
  `);
}

describe('commits into one layout', () => {
  it('by two processes at once all succeed', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const children = ['a', 'b', 'c'].map((name) => committer(layout, { name, count: 6, tags: 2 }));
    await Promise.all(children.map(({ done }) => done));
    assert.deepEqual(Object.keys(checkAtRest(layout)).sort(), ['a0', 'a1', 'b0', 'b1', 'c0', 'c1']);
  });

  it('by one process at once all succeed', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const tags = Array.from({ length: 6 }, (_, number) => `t${number}`);
    await Promise.all(tags.map((tag) => commitImage(layout, tag, ['shared', tag])));
    assert.deepEqual(Object.keys(checkAtRest(layout)).sort(), tags);
  });

  it('under one tag leave one of them', async (t) => {
    const layout = join(scratch(t), 'app.oci');
    const images = await Promise.all(['one', 'two', 'three'].map((text) => commitImage(layout, 'latest', [text])));
    const { latest } = checkAtRest(layout);
    assert.ok(images.some(({ image }) => image.digest === latest));
  });
});

const KILLS = 10;

describe('a kill -9', () => {
  it(
    'at any moment leaves the layout absent or valid, and the next commit succeeds',
    { timeout: 120_000 },
    async (t) => {
      const seed = Date.now() >>> 0;
      t.diagnostic(`seed ${seed}`);
      let state = seed;
      const random = (below: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      const layout = join(scratch(t), 'app.oci');
      for (let kill = 0; kill < KILLS; kill++) {
        const children = ['a', 'b'].map((name) => committer(layout, { name, count: 1000, tags: 2 }));
        await Promise.all(children.map(({ line }) => line));
        await sleep(random(150));
        await Promise.all(children.map((child) => child.kill()));
        if (existsSync(layout)) checkLayout(layout);
      }
      const { image } = await commitImage(layout, 'after', ['after']);
      assert.equal(checkAtRest(layout)['after'], image.digest);
      assert.deepEqual(readdirSync(dirname(layout)), ['app.oci']);
    },
  );
});
