import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type PackOptions, type PackResult, inspect, pack } from '../../src/index.ts';
import { hasCode } from '../support/codes.ts';
import {
  APP_PATH,
  type Entry,
  type Folder,
  appEntries,
  blobOf,
  documentsOf,
  entriesOf,
  labFolder,
  tarOf,
} from '../support/packed.ts';

const TMP: Entry = { name: 'tmp/', type: 'directory', mode: 0o1777 };
const ACCOUNTS: readonly Entry[] = [
  { name: 'etc/passwd', content: 'root:x:0:0::/:/bin/sh\n' },
  { name: 'etc/group', content: 'root:x:0:\n' },
];

describe('--layers=verbatim', () => {
  let lab: Folder;
  let input: string;
  let output: string;
  before(async () => {
    lab = await labFolder();
    input = join(lab.folder, 'app.nix.tar.gz');
    output = join(lab.folder, 'app.oci');
  });
  after(() => lab.remove());

  async function packed(entries: readonly Entry[], options: Partial<PackOptions> = {}): Promise<PackResult> {
    await writeFile(input, gzipSync(await tarOf(entries)));
    return pack({ input, output, env: {}, layers: 'verbatim', ...options });
  }

  it('keeps the tarball as the first layer, byte for byte', async () => {
    const { layers } = await packed(appEntries());
    const bytes = await readFile(input);
    assert.deepEqual(blobOf(output, layers[0]?.digest ?? ''), bytes);
    assert.equal(layers[0]?.size, bytes.length);
    assert.equal(layers[0]?.mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip');
    assert.deepEqual(layers[0]?.storePaths, [APP_PATH]);
    const plain = createHash('sha256').update(gunzipSync(bytes)).digest('hex');
    assert.equal(layers[0]?.diffId, `sha256:${plain}`);
  });

  it('keeps what only its owner may read, with the mode that blobs have', async () => {
    const mine = join(lab.folder, 'mine.nix.tar.gz');
    await writeFile(mine, gzipSync(await tarOf(appEntries())));
    await chmod(mine, 0o400);
    const place = join(lab.folder, 'mine.oci');
    const { layers } = await pack({ input: mine, output: place, env: {}, layers: 'verbatim' });
    const modes = await Promise.all(
      layers.map(async ({ digest }) => (await stat(join(place, 'blobs', digest.replace(':', '/')))).mode & 0o777),
    );
    // The second layer is written, not copied.
    assert.deepEqual([modes.length, new Set(modes).size], [2, 1], String(modes));
  });

  it('keeps owners, times, order, `./` and missing parents', async () => {
    const entries = appEntries().toReversed();
    await packed(entries.map((entry) => ({ ...entry, name: `./${entry.name}` })));
    const [first] = documentsOf(output).manifest.layers;
    const listed = await entriesOf(blobOf(output, first?.digest ?? ''));
    assert.deepEqual(
      listed.map(({ name }) => name),
      entries.map(({ name }) => `./${name}`),
    );
  });

  it('puts what the defaults add into a second layer', async () => {
    const { layers } = await packed(appEntries());
    assert.equal(layers.length, 2);
    assert.deepEqual(layers[1]?.storePaths, []);
    const listed = await entriesOf(blobOf(output, layers[1]?.digest ?? ''));
    assert.deepEqual(
      listed.map(({ name, mode }) => [name, mode]),
      [
        ['etc/', 0o755],
        ['etc/group', 0o644],
        ['etc/passwd', 0o644],
        ['tmp/', 0o1777],
      ],
    );
    const { config } = documentsOf(output);
    assert.equal(config.rootfs.diff_ids.length, 2);
    assert.equal(config.history.length, 2);
  });

  it('adds to a folder with the mode that the tarball gave it', async () => {
    const { layers } = await packed([...appEntries(), { name: 'etc/', type: 'directory', mode: 0o711 }, TMP]);
    const listed = await entriesOf(blobOf(output, layers[1]?.digest ?? ''));
    assert.deepEqual(
      listed.map(({ name, mode }) => [name, mode]),
      [
        ['etc/', 0o711],
        ['etc/group', 0o644],
        ['etc/passwd', 0o644],
      ],
    );
  });

  it('makes no second layer where nothing is to be added', async () => {
    assert.equal((await packed([...appEntries(), TMP, ...ACCOUNTS])).layers.length, 1);
    assert.equal((await packed(appEntries(), { without: ['tmp', 'passwd'] })).layers.length, 1);
  });

  it('records null for what was not computed, and a recipe of its own', async () => {
    await packed(appEntries());
    const { layers } = await inspect({ layout: output });
    assert.deepEqual(layers[0]?.storePaths, [{ path: APP_PATH, narHash: null, narSize: null }]);
    assert.notEqual(layers[0]?.recipe, layers[1]?.recipe);
    assert.equal(layers[0]?.diffId, documentsOf(output).config.rootfs.diff_ids[0]);
  });

  const refused: readonly (readonly [string, readonly Entry[]])[] = [
    ['a whiteout', [{ name: 'etc/.wh.passwd' }]],
    ['an opaque whiteout', [{ name: 'etc/.wh..wh..opq' }]],
    ['two entries of a name', [{ name: 'etc/motd' }, { name: 'etc/motd' }]],
    ['two entries of a name, one with ./', [{ name: 'etc/motd' }, { name: './etc/motd' }]],
    ['a device', [{ name: 'dev/null', type: 'character-device' }]],
    ['a pipe', [{ name: 'pipe', type: 'fifo' }]],
    ['a name with ..', [{ name: 'etc/../../motd' }]],
    ['an absolute name', [{ name: '/etc/motd' }]],
    ['a link out of the image', [{ name: 'up', type: 'symlink', linkname: '../../etc/passwd' }]],
    [
      'an entry below a link',
      [
        { name: 'var', type: 'symlink', linkname: '/etc' },
        { name: 'var/motd', content: 'x' },
      ],
    ],
    ['a hard link to nothing', [{ name: 'hard', type: 'link', linkname: 'nowhere' }]],
    ['a /tmp of mode 755', [{ name: 'tmp/', type: 'directory', mode: 0o755 }]],
    ['a /tmp that is a link', [{ name: 'tmp', type: 'symlink', linkname: 'var' }]],
  ];
  for (const [name, entries] of refused)
    it(`refuses ${name}`, async () => {
      await assert.rejects(packed([...appEntries(), ...entries]), (error: { exitCode?: number }) => {
        assert.equal(error.exitCode, 3);
        return true;
      });
    });

  it('is a usage error for a plain tar, a stream, an expression and a store path', async () => {
    await packed(appEntries());
    const plain = join(lab.folder, 'plain.nix.tar');
    await writeFile(plain, await tarOf(appEntries()));
    const expression = join(lab.folder, 'app.nix');
    await writeFile(expression, '{ }');
    for (const other of [plain, createReadStream(input), expression, APP_PATH])
      await assert.rejects(
        pack({ input: other, output, env: {}, layers: 'verbatim' }),
        hasCode('USAGE'),
        typeof other === 'string' ? other : 'a stream',
      );
  });
});
