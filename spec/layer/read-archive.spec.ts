import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ProgressEvent } from '../../src/progress.ts';
import { linesOf, saved, withArchive } from '../support/archives.ts';
import { hasCode } from '../support/codes.ts';
import { END, archive, entry, file, folder, gnuLong, hardLink, headersOf, pax, symlink } from '../support/tars.ts';
import { content, tarOf } from '../support/trees.ts';

const LONG = `${'folder/'.repeat(30)}${'f'.repeat(200)}`;
const IMPLIED = LONG.split('/')
  .slice(0, -1)
  .map((_, depth) => `${'folder/'.repeat(depth + 1)} 755`);

/** What was packed by hand, and what a listing of it has to be. */
const ACCEPTED: Readonly<Record<string, readonly [archive: Uint8Array, expected: readonly string[]]>> = {
  'an archive of nothing': [END, []],
  'a lone block of zeros at the end': [Buffer.concat([file('a'), Buffer.alloc(512)]), ['a 644 ']],
  'zeros up to a record of 10 KiB': [Buffer.concat([archive(file('a')), Buffer.alloc(8192)]), ['a 644 ']],
  'names with ./': [archive(folder('./'), folder('./d/'), file('./d/./a', '1')), ['d/ 755', 'd/a 644 1']],
  'names with /': [archive(folder('/'), folder('/d'), file('//d//a', '1')), ['d/ 755', 'd/a 644 1']],
  'children before their parents': [archive(file('d/a', '1'), folder('d/', 0o700)), ['d/ 700', 'd/a 644 1']],
  'entries in any order': [
    archive(file('b'), file('a-b'), folder('a'), file('B'), file('a/c')),
    ['B 644 ', 'a/ 755', 'a/c 644 ', 'a-b 644 ', 'b 644 '],
  ],
  'missing parents': [archive(file('x/y/z', '1')), ['x/ 755', 'x/y/ 755', 'x/y/z 644 1']],
  'missing parents in a store': [
    archive(file('nix/store/p/bin/x', '', 0o755)),
    ['nix/ 755', 'nix/store/ 755', 'nix/store/p/ 555', 'nix/store/p/bin/ 555', 'nix/store/p/bin/x 555 '],
  ],
  'a store that was copied': [
    archive(
      folder('nix/store/p', 0o700),
      file('nix/store/p/a', '', 0o664),
      file('nix/store/p/b', '', 0o775),
      folder('nix/store', 0o1775),
    ),
    ['nix/ 755', 'nix/store/ 1775', 'nix/store/p/ 555', 'nix/store/p/a 444 ', 'nix/store/p/b 555 '],
  ],
  'modes outside a store, /tmp among them': [
    archive(folder('tmp', 0o1777), file('etc/x', '', 0o600), file('none', '', 0)),
    ['etc/ 755', 'etc/x 600 ', 'none 0 ', 'tmp/ 1777'],
  ],
  'two files of a name': [archive(file('a', 'first'), file('b'), file('./a', 'last', 0o600)), ['a 600 last', 'b 644 ']],
  'a file, then a folder': [archive(file('a', '1'), folder('a'), file('a/b', '2')), ['a/ 755', 'a/b 644 2']],
  'a folder, then a file': [archive(folder('a'), file('a/b', '2'), file('a', '1')), ['a 644 1']],
  'a folder, a file, a folder': [archive(file('a/b'), file('a'), folder('a')), ['a/ 755']],
  'a folder twice': [archive(folder('a', 0o700), file('a/b'), folder('a', 0o750)), ['a/ 750', 'a/b 644 ']],
  'a link, then a file': [archive(symlink('a', 'b'), file('a', '1')), ['a 644 1']],
  'links as they are': [archive(symlink('a', '../../x//./'), symlink('b', '/nix')), ['a -> ../../x//./', 'b -> /nix']],
  'a hard link': [archive(file('a', '1', 0o755), hardLink('b', 'a')), ['a 755 1', 'b 755 1']],
  'a hard link by ./ and /': [
    archive(file('d/a', '1'), hardLink('b', './d/a'), hardLink('c', '/d/a')),
    ['b 644 1', 'c 644 1', 'd/ 755', 'd/a 644 1'],
  ],
  'a hard link to what is replaced later': [
    archive(file('a', 'then'), hardLink('b', 'a'), file('a', 'now')),
    ['a 644 now', 'b 644 then'],
  ],
  'a hard link to a hard link': [
    archive(file('a', '1'), hardLink('b', 'a'), file('a', '2'), hardLink('c', 'b')),
    ['a 644 2', 'b 644 1', 'c 644 1'],
  ],
  'a hard link to a link': [archive(symlink('a', 'x'), hardLink('b', 'a')), ['a -> x', 'b -> x']],
  'a hard link to itself': [archive(file('a', '1'), hardLink('a', 'a')), ['a 644 1']],
  'a hard link out of the folder it replaces': [archive(file('d/a', '1'), hardLink('d', 'd/a')), ['d 644 1']],
  'a hard link into a store': [
    archive(file('a', '1', 0o755), hardLink('nix/store/p', 'a'), file('c'), hardLink('nix/store/q', 'c')),
    ['a 755 1', 'c 644 ', 'nix/ 755', 'nix/store/ 755', 'nix/store/p 555 1', 'nix/store/q 444 '],
  ],
  'a name in prefix and name': [
    archive(entry({ name: 'a', prefix: 'p/q', content: '1' })),
    ['p/ 755', 'p/q/ 755', 'p/q/a 644 1'],
  ],
  'a long name by pax': [archive(pax({ path: LONG }), file('short', '1')), [...IMPLIED, `${LONG} 644 1`]],
  'a long name by GNU': [archive(gnuLong(LONG), file('short', '1')), [...IMPLIED, `${LONG} 644 1`]],
  'a long link by pax': [archive(pax({ linkpath: LONG }), symlink('a', 'short')), [`a -> ${LONG}`]],
  'a long link by GNU': [archive(gnuLong(LONG, 'K'), symlink('a', 'short')), [`a -> ${LONG}`]],
  'a long hard link': [
    archive(pax({ path: LONG }), file('s', '1'), gnuLong(LONG, 'K'), hardLink('a', 's')),
    ['a 644 1', ...IMPLIED, `${LONG} 644 1`],
  ],
  'a size by pax': [archive(pax({ size: '3' }), entry({ name: 'a', content: 'abc', size: 0 })), ['a 644 abc']],
  'ids over 2^21 by pax and in base 256': [
    archive(pax({ uid: '4000000', gid: '4000000' }), file('a'), entry({ name: 'b', uid: 0o7777777 })),
    ['a 644 ', 'b 644 '],
  ],
  'a size in base 256': [
    archive(entry({ name: 'a', content: 'abc', size: Buffer.from('800000000000000000000003', 'hex') })),
    ['a 644 abc'],
  ],
  'times, owners and attributes': [
    archive(
      pax({ mtime: '1700000000.123', atime: '1', ctime: '2', uname: 'ü', 'SCHILY.xattr.user.x': '\0' }),
      file('a'),
    ),
    ['a 644 '],
  ],
  'a global pax header': [
    archive(pax({ comment: 'of git' }, 'g'), file('a', '1'), pax({ comment: 'again' }, 'g'), file('b', '2')),
    ['a 644 1', 'b 644 2'],
  ],
  'a global pax header and one of an entry': [
    archive(pax({ comment: 'of git' }, 'g'), pax({ path: 'y' }), file('x', '1'), file('z')),
    ['y 644 1', 'z 644 '],
  ],
  'a pax record that is taken back': [archive(pax({ path: '' }), file('x', '1')), ['x 644 1']],
  'numbers with spaces around them': [
    archive(entry({ name: 'a', content: 'abc', size: Buffer.from('          3 ') })),
    ['a 644 abc'],
  ],
  'names that are not ASCII': [
    archive(file('ä/𝄞', '1'), pax({ path: 'ß' }), file('x')),
    ['ß 644 ', 'ä/ 755', 'ä/𝄞 644 1'],
  ],
  'a folder by its slash alone': [
    archive(entry({ name: 'd/', type: '\0', mode: 0o700 }), file('d/a')),
    ['d/ 700', 'd/a 644 '],
  ],
  'contiguous and old files': [
    archive(entry({ name: 'a', type: '7', content: '1' }), entry({ name: 'b', type: '\0', content: '2' })),
    ['a 644 1', 'b 644 2'],
  ],
};

describe('an archive is accepted and normalised with', () => {
  for (const [what, [bytes, expected]] of Object.entries(ACCEPTED))
    it(what, async (t) => {
      assert.deepEqual(await linesOf(t, bytes), expected);
      assert.deepEqual(await linesOf(t, gzipSync(bytes)), expected, 'compressed');
    });
});

describe('an archive', () => {
  it('may be as deep as a path may be long', async (t) => {
    const path = `${'d/'.repeat(2047)}x`;
    const packed = await withArchive(t, saved(t, archive(pax({ path }), file('s', '1'))), {}, ({ tree }) =>
      tarOf(tree),
    );
    const flags = Array.from(headersOf(packed), ({ block }) => String.fromCharCode(block[156] ?? 0));
    assert.equal(flags.filter((flag) => flag === '5').length, 2047);
    assert.ok(packed.includes(`path=${path}\n`));
  });

  it('gives files of any size, from anywhere in it', async (t) => {
    const sizes = [0, 1, 511, 512, 513, 1024 * 1024, 3 * 1024 * 1024 + 7];
    const bytes = archive(...sizes.map((size) => file(`of-${size}`, 'x'.repeat(size))));
    for (const form of [bytes, gzipSync(bytes)])
      await withArchive(t, saved(t, form), {}, ({ tree }) => {
        for (const size of sizes.toReversed())
          assert.deepEqual(content(tree.get(`of-${size}`)), Buffer.alloc(size, 'x'));
      });
  });

  it('tells how far it has been read', async (t) => {
    const plain = archive(file('a', 'x'.repeat(100_000)));
    const bytes = gzipSync(plain, { level: 0 });
    const total = bytes.length;
    const events: ProgressEvent[] = [];
    await withArchive(t, saved(t, bytes), { onProgress: (event) => events.push(event) }, () => undefined);
    assert.deepEqual(events.at(-1), { kind: 'read', bytes: total, uncompressed: plain.length, total });
  });

  it('that changes after it was indexed is noticed', async (t) => {
    for (const form of [archive(file('a', '1')), gzipSync(archive(file('a', '1')))]) {
      const path = saved(t, form);
      await withArchive(t, path, {}, (read) => {
        read.assertUnchanged();
        appendFileSync(path, 'more');
        assert.throws(() => read.assertUnchanged(), hasCode('INPUT_MALFORMED'));
      });
    }
  });

  it('that is written to while it is indexed is noticed', async (t) => {
    const path = saved(t, archive(file('a', 'x'.repeat(3 * 1024 * 1024))));
    const before = readFileSync(path);
    const onProgress = (): void => writeFileSync(path, before.subarray(0, before.length - 512));
    await assert.rejects(
      withArchive(t, path, { onProgress }, () => undefined),
      hasCode('INPUT_MALFORMED'),
    );
  });
});
