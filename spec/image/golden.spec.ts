import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { pack } from '../../src/index.ts';
import { labFolder, writeApp } from '../support/packed.ts';

/** Changes only together with the recipe's id, the record's version or the defaults: see CONTRIBUTING.md. */
const GOLDEN = {
  manifest: 'sha256:70a893d221c14b844df06a6e3561c5fee9e147b6186b72e2f861e3f2d0dfbefe',
  config: 'sha256:0aa3cb9438fbefe5341d7af02b55003db9d20533128fbc8d70ecdb134b82470d',
  closure: {
    digest: 'sha256:158514873d7ed66cd8b900e75ee37fbc307a7356f7e00b263dfbe80dfcf1d63d',
    diffId: 'sha256:864416a09cc0a8145201baa302dc84a5577aecfedce237a68d431295ede7b166',
  },
  rest: {
    digest: 'sha256:b2443dda40559e01c241934ce36e1b35edd51e97a4739570435a125a6830546a',
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
