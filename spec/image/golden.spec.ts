import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pack } from '../../src/index.ts';
import { ELF_MACHINE, appEntries, elfHead, labFolder, tarOf } from '../support/packed.ts';

/** Changes only together with the recipe's id, the record's version or the defaults: see CONTRIBUTING.md. */
const GOLDEN = {
  manifest: 'sha256:0',
  config: 'sha256:0',
  layer: 'sha256:0',
  diffId: 'sha256:0',
} as const;

describe('the digest of a small tarball', () => {
  let lab: Awaited<ReturnType<typeof labFolder>>;
  before(async () => {
    lab = await labFolder();
  });
  after(() => lab.remove());

  it('is the one that it has always been', async () => {
    const input = join(lab.folder, 'app.nix.tar');
    await writeFile(input, await tarOf(appEntries(elfHead(ELF_MACHINE.amd64))));
    const { digest, config, layers } = await pack({ input, output: join(lab.folder, 'app.oci'), env: {} });
    const [layer] = layers;
    assert.deepEqual(
      { manifest: digest, config: config.digest, layer: layer?.digest, diffId: layer?.diffId },
      GOLDEN,
    );
  });
});
