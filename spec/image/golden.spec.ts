import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { pack } from '../../src/index.ts';
import { labFolder, writeApp } from '../support/packed.ts';

/** Changes only together with the recipe's id, the record's version or the defaults: see CONTRIBUTING.md. */
const GOLDEN = {
  manifest: 'sha256:a3dc952dea5342efd0b5726b38b70ccb8f351f65c46ac48831956aae300ae5ec',
  config: 'sha256:f2ae15956bc467ad3dc821614c1b5e4e78960e4fcd02a1c0d2c55c342612a0e7',
  closure: {
    digest: 'sha256:ca5c6b0fe2b41776f87e1cd36eb015996be15eb3de42d9a808b3fdea64b26bfc',
    diffId: 'sha256:864416a09cc0a8145201baa302dc84a5577aecfedce237a68d431295ede7b166',
  },
  rest: {
    digest: 'sha256:addb8aca77f25536089439fef8117596764b36974449522d24991ad384f48561',
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
