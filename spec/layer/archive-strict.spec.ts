import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { linesOf, saved, withArchive } from '../support/archives.ts';
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

describe('an archive that is kept as it is', () => {
  for (const [what, parts] of Object.entries(AMBIGUOUS))
    it(`must not have ${what}`, async (t) => {
      const bytes = archive(...parts);
      await linesOf(t, bytes);
      await assert.rejects(linesOf(t, bytes, { strict: true }), hasCode('INPUT_REFUSED'));
    });

  for (const [what, parts] of Object.entries(FINE))
    it(`may have ${what}`, async (t) => {
      assert.deepEqual(await linesOf(t, archive(...parts), { strict: true }), await linesOf(t, archive(...parts)));
    });

  it('tells the digest of what is in the gzip, its diff_id', async (t) => {
    const bytes = archive(file('a', 'x'.repeat(5000)));
    const expected = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    for (const form of [
      bytes,
      gzipSync(bytes),
      Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]),
    ]) {
      await withArchive(t, saved(t, form), { strict: true }, ({ plainDigest }) => assert.equal(plainDigest, expected));
      await withArchive(t, saved(t, form), {}, ({ plainDigest }) => assert.equal(plainDigest, null));
    }
  });
});
