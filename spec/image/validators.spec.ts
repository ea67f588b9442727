import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import {
  type Entry,
  type Folder,
  appEntries,
  blobOf,
  documentsOf,
  entriesOf,
  labFolder,
  tarOf,
  writeApp,
} from '../support/packed.ts';
import { VALIDATORS } from '../support/validators.ts';

const nix = await nixpkgsFixture();
const LONG = `srv/${'long-'.repeat(30)}name/${'ü'.repeat(60)}.txt`;
const MORE: readonly Entry[] = [
  { name: LONG, content: 'long' },
  { name: 'srv/first', content: 'linked' },
  { name: 'srv/second', type: 'link', linkname: 'srv/first' },
  { name: 'srv/executable', mode: 0o755, content: '' },
  { name: 'srv/folder/', type: 'directory', mode: 0o700 },
];

/** Images of every kind that pack makes, by what they are called here. */
const IMAGES: Readonly<Record<string, { skip: string | false; make: (layout: string) => Promise<unknown> }>> = {
  'of an expression': {
    skip: nix.skip || missing('bwrap'),
    make: (output) => pack({ input: fixture('expressions', 'tiny.nix'), output, env: cleanEnvironment() }),
  },
  'of a tarball, with every flag': {
    skip: false,
    make: async (output) => {
      const input = await writeApp(`${output}.nix.tar`, { more: MORE });
      const labels = { 'org.example.label': 'ü "quoted"' };
      const run = { cmd: ['-m', 'x'], workdir: '/srv', stopSignal: 'SIGINT', user: '1000:1000', environment: ['A=b'] };
      const more = { volumes: ['/data'], ports: ['8080', '53/udp'], labels, annotations: labels };
      return pack({ input, output, env: {}, ...run, ...more });
    },
  },
  'of a tarball, verbatim, in two layers': {
    skip: false,
    make: async (output) => {
      await writeFile(`${output}.nix.tar.gz`, gzipSync(await tarOf([...appEntries(), { name: LONG, content: '' }])));
      return pack({ input: `${output}.nix.tar.gz`, output, env: {}, layers: 'verbatim' });
    },
  },
};

for (const [kind, { skip, make }] of Object.entries(IMAGES))
  describe(`an image ${kind}`, { skip }, () => {
    let lab: Folder;
    let layout: string;
    before(async () => {
      lab = await labFolder();
      layout = join(lab.folder, 'app.oci');
      await make(layout);
    });
    after(() => lab.remove());

    for (const validator of VALIDATORS)
      it(`is valid for ${validator.name}`, { skip: validator.skip }, async () => {
        const scratch = await labFolder();
        try {
          await validator.validate({ layout, tag: 'latest' }, scratch.folder);
        } finally {
          await scratch.remove();
        }
      });

    it('has blobs of the stated digests and sizes, and layers of the stated diff_ids', () => {
      const { descriptor, manifest, config } = documentsOf(layout);
      for (const { digest, size } of [descriptor, manifest.config, ...manifest.layers]) {
        const bytes = blobOf(layout, digest);
        assert.equal(sha256(bytes), digest);
        assert.equal(bytes.length, size);
      }
      // All members and nothing after the last one: zlib refuses trailing bytes only where they look like a member.
      const plain = manifest.layers.map(({ digest }) => gunzipSync(blobOf(layout, digest)));
      assert.deepEqual(plain.map(sha256), config.rootfs.diff_ids);
      for (const tar of plain) assert.equal(tar.length % 512, 0);
    });

    it('has a history entry for each layer, and no path twice in one', async () => {
      const { manifest, config } = documentsOf(layout);
      assert.equal(config.history.length, manifest.layers.length);
      for (const { digest } of manifest.layers) {
        const names = (await entriesOf(blobOf(layout, digest))).map(({ name }) => name.replace(/\/$/, ''));
        assert.equal(new Set(names).size, names.length);
        assert.ok(names.every((name) => !name.split('/').some((part) => part.startsWith('.wh.'))));
      }
    });

    it('writes gzip headers without a time and a name', () => {
      const { manifest } = documentsOf(layout);
      const own = manifest.layers.at(-1);
      const head = blobOf(layout, own?.digest ?? '').subarray(0, 10);
      assert.deepEqual([...head.subarray(3, 8)], [0, 0, 0, 0, 0]);
    });
  });

describe(
  'an unpacked image',
  { skip: VALIDATORS.find(({ name }) => name.startsWith('umoci unpack'))?.skip ?? false },
  () => {
    it('holds what the tarball held, under names of any length', async (t) => {
      const lab = await labFolder();
      t.after(lab.remove);
      const layout = join(lab.folder, 'app.oci');
      await pack({ input: await writeApp(join(lab.folder, 'app.tar'), { more: MORE }), output: layout, env: {} });
      const unpack = VALIDATORS.find(({ name }) => name.startsWith('umoci unpack'));
      await unpack?.validate({ layout, tag: 'latest' }, lab.folder);
      const root = join(lab.folder, 'bundle/rootfs');
      assert.equal(await readFile(join(root, LONG), 'utf8'), 'long');
      assert.equal(await readFile(join(root, 'srv/second'), 'utf8'), 'linked');
      assert.deepEqual((await readdir(root)).toSorted(), ['app', 'etc', 'nix', 'srv', 'tmp']);
    });
  },
);

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
