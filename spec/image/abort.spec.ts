import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ErrorCode, type PackOptions, type ProgressEvent, exportTarball, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { APP_PATH, type Folder, everythingIn, labFolder, tarOf, writeApp } from '../support/packed.ts';

const nix = await nixpkgsFixture();
const BIG = { name: `${APP_PATH.slice(1)}/big`, content: Buffer.alloc(24 * 1024 * 1024) };

describe('an AbortSignal', () => {
  let lab: Folder;
  let controller: AbortController;
  beforeEach(async () => {
    lab = await labFolder();
    controller = new AbortController();
  });
  afterEach(() => lab.remove());

  /** Packs until an event of this kind, and asserts what it ends with and that nothing is left. */
  async function stopsAt(kind: ProgressEvent['kind'], options: Partial<PackOptions>, code: ErrorCode): Promise<void> {
    let seen = false;
    const onProgress = (event: ProgressEvent): void => {
      if (event.kind !== kind || (event.kind === 'nix' && event.line !== 'started' && !event.line.includes('building')))
        return;
      seen = true;
      controller.abort();
    };
    const input = await writeApp(join(lab.folder, 'app.nix.tar'), { more: [BIG] });
    const output = join(lab.folder, 'app.oci');
    // Other specs run at the same time: only a temporary folder of its own shows what this one leaves.
    const temporary = await mkdtemp(join(tmpdir(), 'abort-'));
    await assert.rejects(
      pack({
        input,
        output,
        signal: controller.signal,
        onProgress,
        ...options,
        env: { ...options.env, TMPDIR: temporary },
      }),
      hasCode(code),
    );
    assert.ok(seen, `no event ${kind}`);
    assert.deepEqual(everythingIn(lab.folder), ['app.nix.tar']);
    assert.deepEqual(readdirSync(temporary), []);
    await rm(temporary, { recursive: true });
  }

  it('stops a pack before it begins', async () => {
    const input = await writeApp(join(lab.folder, 'app.nix.tar'));
    const packing = pack({ input, output: join(lab.folder, 'app.oci'), env: {}, signal: AbortSignal.abort() });
    await assert.rejects(packing, hasCode('ABORTED'));
    assert.deepEqual(everythingIn(lab.folder), ['app.nix.tar']);
  });

  it('stops it while the archive is read', () => stopsAt('read', {}, 'ABORTED'));

  it('stops it while the layer is packed', () => stopsAt('pack', {}, 'ABORTED'));

  it('stops it while nothing comes from a stream', async () => {
    const head = (await tarOf([{ name: 'first', content: 'x' }])).subarray(0, 1024);
    const input = new Readable({ read: () => undefined });
    input.push(head);
    await stopsWithin(input);
  });

  async function stopsWithin(input: Readable): Promise<void> {
    const packing = pack({ input, output: join(lab.folder, 'app.oci'), env: {}, signal: controller.signal });
    setImmediate(() => controller.abort());
    await assert.rejects(packing, hasCode('ABORTED'));
    assert.deepEqual(everythingIn(lab.folder), []);
  }

  it('stops a tarball’s export', async () => {
    const input = await writeApp(join(lab.folder, 'app.nix.tar'), { more: [BIG] });
    const options = { input, output: join(lab.folder, 'out.nix.tar.gz'), env: {}, signal: controller.signal };
    await assert.rejects(exportTarball({ ...options, onProgress: () => controller.abort() }), hasCode('ABORTED'));
    assert.deepEqual(everythingIn(lab.folder), ['app.nix.tar']);
  });

  it('stops Nix', { skip: nix.skip || missing('bwrap') }, async () => {
    await stopsAt('nix', { input: fixture('expressions', 'slow.nix'), env: cleanEnvironment() }, 'ABORTED');
  });

  it('is not what a failure is taken for', async () => {
    await writeFile(join(lab.folder, 'text.tar'), 'text');
    const options = { output: join(lab.folder, 'x.oci'), env: {}, signal: controller.signal };
    await assert.rejects(pack({ ...options, input: join(lab.folder, 'text.tar') }), hasCode('INPUT_MALFORMED'));
  });
});
