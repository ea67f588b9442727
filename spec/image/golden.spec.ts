import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { pack } from '../../src/index.ts';
import { labFolder, writeApp } from '../support/packed.ts';

/** Changes only together with the recipe's id, the record's version or the defaults: see CONTRIBUTING.md. */
const GOLDEN = {
  manifest: 'sha256:20a2ef82f6504714287b6364f1fa75457fa1931ac4a7da68e22a2dd1baa38d9d',
  config: 'sha256:67d79707a20a725553c55adbda372a5648d2960d443343badeb11c7284cdb33b',
  layer: 'sha256:f2b72210aa42db12e926fb2f84f4becc84f980eb10c9f313766a14da7764f44c',
  diffId: 'sha256:134b335e9a64bb64fb77c32812620ab1c975f72216934798ff609273058b1319',
} as const;

it('gives a small tarball the digest that it has always had', async (t) => {
  const { folder, remove } = await labFolder();
  t.after(remove);
  const input = await writeApp(join(folder, 'app.nix.tar'));
  const { digest, config, layers } = await pack({ input, output: join(folder, 'app.oci'), env: {} });
  const [layer] = layers;
  assert.deepEqual({ manifest: digest, config: config.digest, layer: layer?.digest, diffId: layer?.diffId }, GOLDEN);
});
