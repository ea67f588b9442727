import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { PackResult } from '../../src/index.ts';
import { runCli } from '../support/cli.ts';
import { missing } from '../support/fixtures.ts';
import { type Folder, blobOf, documentsOf, labFolder, writeApp } from '../support/packed.ts';
import { otherNode } from './other-node.ts';

const run = promisify(execFile);
const [old, recent] = await Promise.all([otherNode(20), otherNode(24)]);

describe('--compression=zstd', () => {
  let lab: Folder;
  let input: string;
  let output: string;
  before(async () => {
    lab = await labFolder();
    input = await writeApp(join(lab.folder, 'app.nix.tar'));
    output = join(lab.folder, 'zstd.oci');
  });
  after(() => lab.remove());

  async function packed(to: string, ...flags: readonly string[]): Promise<PackResult> {
    const { code, stdout, stderr } = await runCli(['pack', input, '-o', to, '--json', ...flags], { node: recent.path });
    assert.equal(code, 0, stderr);
    const result: PackResult = JSON.parse(stdout);
    return result;
  }

  it('gives the same diff_ids, another media type and another recipe', { skip: recent.skip }, async () => {
    const gzip = await packed(join(lab.folder, 'gzip.oci'));
    const zstd = await packed(output, '--compression=zstd');
    assert.deepEqual(
      zstd.layers.map(({ diffId }) => diffId),
      gzip.layers.map(({ diffId }) => diffId),
    );
    assert.equal(zstd.layers[0]?.mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd');
    assert.deepEqual([...blobOf(output, zstd.layers[0]?.digest ?? '').subarray(0, 4)], [0x28, 0xb5, 0x2f, 0xfd]);
    const recipes = [output, join(lab.folder, 'gzip.oci')].map((layout) => {
      const record = documentsOf(layout).manifest.layers[0]?.annotations?.['dev.oci-plone.layer.v1'] ?? '';
      const { recipe }: { readonly recipe: string } = JSON.parse(record);
      return recipe;
    });
    assert.notEqual(recipes[0], recipes[1]);
  });

  it('is read by skopeo, which unpacks it to the diff_id', { skip: recent.skip || missing('skopeo') }, async () => {
    const { layers } = await packed(output, '--compression=zstd');
    await run('skopeo', ['inspect', `oci:${output}:latest`]);
    const folder = join(lab.folder, 'plain');
    await run('skopeo', ['--insecure-policy', 'copy', '--dest-decompress', `oci:${output}:latest`, `dir:${folder}`]);
    assert.ok((await readdir(folder)).includes(layers[0]?.diffId.slice(7) ?? ''));
  });

  it('is a usage error where Node has no zstd', { skip: old.skip }, async () => {
    const { code, stdout } = await runCli(['pack', input, '-o', join(lab.folder, 'x'), '--compression=zstd'], {
      node: old.path,
    });
    assert.deepEqual([code, stdout], [2, '']);
  });
});
