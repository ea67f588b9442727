import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf } from '../../src/oci/document-digest.ts';
import type { FolderNode } from '../../src/layer/tree.ts';
import { walk } from '../../src/layer/walk.ts';
import { linesOf, saved, streamOf, withArchive } from '../support/archives.ts';
import { hasCode } from '../support/codes.ts';
import { archive, file, folder, hardLink, pax, symlink } from '../support/tars.ts';

/** What is fine where everything is written anew, and ambiguous where the archive becomes the layer itself. */
const AMBIGUOUS: Readonly<Record<string, readonly Uint8Array[]>> = {
  'two files of a name': [file('a', '1'), file('a', '2')],
  'two files of a name, one with ./': [file('a', '1'), file('./a', '2')],
  'a folder twice': [folder('d'), folder('d/')],
  'a file over a folder': [folder('d'), file('d')],
  'a file over a folder that is only implied, and the folder again': [file('d/x'), folder('d'), folder('d')],
  'a hard link over a file': [file('a'), file('b'), hardLink('b', 'a')],
  'an absolute name': [file('/a')],
  'an absolute name by pax': [pax({ path: '/a' }), file('x')],
  'a link out of the image': [symlink('d/l', '../../x')],
  'a link out of the image, later on': [symlink('l', 'd/../../x')],
  'an absolute link out of the image': [symlink('l', '/../x')],
};

const FINE: Readonly<Record<string, readonly Uint8Array[]>> = {
  'names with ./ and missing parents': [folder('./'), file('./d/x')],
  'a folder after what is below it': [file('d/x'), folder('d')],
  'links inside, to the root and to nothing': [
    symlink('d/l', '../x'),
    symlink('m', '/'),
    symlink('d/n', '..'),
    symlink('o', '/nix/gone'),
  ],
  'a hard link': [file('a'), hardLink('b', 'a')],
};

function namesIn(tree: FolderNode): readonly string[] {
  return Array.from(walk(tree), (step) => (step.kind === 'leave' ? '..' : `${step.path} ${step.node.kind}`));
}

/** What can be read of a file, and whether there should have been more. */
function readable(tree: FolderNode, name: string): { readonly head: Buffer; readonly failed: boolean } {
  const node = tree.get(name);
  assert.equal(node?.kind, 'file');
  const pieces: Uint8Array[] = [];
  try {
    for (const piece of node.read()) pieces.push(piece);
    return { head: Buffer.concat(pieces), failed: false };
  } catch (error) {
    assert.match(String(error), /only the first bytes of programs/);
    return { head: Buffer.concat(pieces), failed: true };
  }
}

const keep = (): Promise<void> => Promise.resolve();

describe('an archive that is kept as it is', () => {
  for (const [what, parts] of Object.entries(AMBIGUOUS))
    it(`must not have ${what}`, async (t) => {
      const bytes = archive(...parts);
      await linesOf(t, bytes);
      await assert.rejects(linesOf(t, bytes, { keep }), hasCode('INPUT_REFUSED'));
    });

  for (const [what, parts] of Object.entries(FINE))
    it(`may have ${what}`, async (t) => {
      const bytes = archive(...parts);
      const expected = await withArchive(t, saved(t, bytes), {}, ({ tree }) => namesIn(tree));
      await withArchive(t, saved(t, bytes), { keep }, ({ tree }) => assert.deepEqual(namesIn(tree), expected));
      assert.ok(expected.length > 0);
    });

  it('is not spooled: of contents, the first bytes of programs can be read, in whatever pieces they come', async (t) => {
    const programs = [0, 1, 63, 64, 65, 5000].map((size) =>
      file(`of-${size}`, `${size},`.repeat(size).slice(0, size), 0o755),
    );
    const bytes = archive(file('text', 'not kept'), ...programs, file('later', 'not kept either'));
    for (const form of [...[1, 63, 600, 1 << 20].map((size) => streamOf(bytes, size)), saved(t, gzipSync(bytes))])
      await withArchive(t, form, { keep }, ({ tree }) => {
        for (const size of [0, 1, 63, 64, 65, 5000]) {
          const { head, failed } = readable(tree, `of-${size}`);
          assert.deepEqual(head, Buffer.alloc(Math.min(size, 64), `${size},`), `of ${size}`);
          assert.equal(failed, size > 64, `of ${size}`);
        }
        for (const name of ['text', 'later'])
          assert.deepEqual(readable(tree, name), { head: Buffer.alloc(0), failed: true });
      });
  });

  it('keeps them of as many programs as there are', async (t) => {
    const many = archive(
      ...Array.from({ length: 3000 }, (_, index) => file(`program-${index}`, 'x'.repeat(64), 0o755)),
    );
    await withArchive(t, saved(t, many), { keep }, ({ tree }) =>
      assert.deepEqual(readable(tree, 'program-2999').head, Buffer.alloc(64, 'x')),
    );
  });

  it('tells what it is as a layer: its digest and size, and the diff_id of what is in the gzip', async (t) => {
    const bytes = archive(file('a', 'x'.repeat(5000)));
    const expected = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    for (const form of [
      bytes,
      gzipSync(bytes),
      Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ]) {
      const pieces: Uint8Array[] = [];
      const copying = (piece: Uint8Array): Promise<void> => Promise.resolve(void pieces.push(Uint8Array.from(piece)));
      await withArchive(t, saved(t, form), { keep: copying }, ({ kept }) => {
        assert.deepEqual(kept, { digest: digestOf(form), size: form.length, diffId: expected });
        assert.deepEqual(Buffer.concat(pieces), Buffer.from(form));
      });
      await withArchive(t, saved(t, form), {}, ({ kept }) => assert.equal(kept, null));
    }
  });
});
