import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { pack } from '../../src/index.ts';
import { labFolder, writeApp } from '../support/packed.ts';

/** Changes only together with the recipe's id, the record's version or the defaults: see CONTRIBUTING.md. */
const GOLDEN = {
  manifest: 'sha256:b99cb8227688a664eb0e715d777fff11eb6300ca5cb117e2f2fe5592ec4aff14',
  config: 'sha256:b57ee76297094b3c1567b74b374b862157795cfec7930391e0bc845f05c6e1e9',
  closure: {
    digest: 'sha256:bb737ce6dc1682727120a0a6dcd4bd926cd93f9c31cd682148fd3a41c2236b97',
    diffId: 'sha256:864416a09cc0a8145201baa302dc84a5577aecfedce237a68d431295ede7b166',
  },
  rest: {
    digest: 'sha256:5065c939fcb6dfc74b6c17f7c14924f820c68860500a6fa0065f6093bf357861',
    diffId: 'sha256:afbe3a912611fe93d917203f80f0cdf8406af7fcd9ede0e37a2fbf675409946b',
  },
} as const;

it('gives a small tarball the digest that it has always had', async (t) => {
  const { folder, remove } = await labFolder();
  t.after(remove);
  const input = await writeApp(join(folder, 'app.nix.tar'));
  const { digest, config, layers } = await pack({ input, output: join(folder, 'app.oci'), env: {} });
  const [closure, rest] = layers.map((layer) => ({ digest: layer.digest, diffId: layer.diffId }));
  assert.deepEqual({ manifest: digest, config: config.digest, closure, rest }, GOLDEN);
});
