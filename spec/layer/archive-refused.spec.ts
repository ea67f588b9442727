import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DEFAULT_LIMITS } from '../../src/layer/archive-limits.ts';
import { linesOf, linesOfStream, saved, withArchive } from '../support/archives.ts';
import { badInput, hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { END, ZEROS, archive, entry, file, folder, gnuLong, hardLink, pax, symlink } from '../support/tars.ts';

const LATIN1 = Buffer.from('caf\u00e9', 'latin1');

/** A pax header of these bytes, records or not. */
function paxOf(content: string): Buffer {
  return entry({ name: 'PaxHeaders', type: 'x', content });
}

/** An entry with other bytes in its header, whose sum is right. */
function withField(whole: Buffer, at: number, text: string): Buffer {
  const bytes = Buffer.from(whole);
  bytes.write(text, at, 'latin1');
  bytes.write('        ', 148, 'latin1');
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** Each is refused on its own; with the good entries around it nothing else is wrong with the archive. */
const REFUSED: Readonly<Record<string, readonly Uint8Array[]>> = {
  'a name with ..': [file('../x')],
  'a name with .. inside': [file('d/../../x')],
  'a name that ends in ..': [folder('d/..')],
  'a name with .. by pax': [pax({ path: '/../../etc/passwd' }), file('x')],
  'a name with .. by GNU': [gnuLong('a/../../x'), file('x')],
  'a name with .. by prefix': [entry({ name: 'x', prefix: '..' })],
  'an entry below a link': [symlink('l', 'd'), file('l/x')],
  'an entry below a link out': [symlink('l', '/etc'), file('l/passwd')],
  'an entry below a hard link to a link': [symlink('l', 'd'), hardLink('h', 'l'), file('h/x')],
  'a folder below a link': [symlink('l', 'd'), folder('l/x')],
  'an entry below a file': [file('f'), file('f/x')],
  'a link below a file': [file('f'), symlink('f/x', 'y')],
  'a hard link to nothing': [hardLink('h', 'nothing')],
  'a hard link to what comes later': [hardLink('h', 'later'), file('later')],
  'a hard link outside': [hardLink('h', '../x')],
  'a hard link through a link': [symlink('l', 'd'), hardLink('h', 'l/x')],
  'a hard link to a folder': [folder('f'), hardLink('h', 'f')],
  'a hard link to the root': [hardLink('h', '/')],
  'a hard link to no name': [hardLink('h', '')],
  'a hard link to what a file replaced': [file('f/x'), file('f'), hardLink('h', 'f/x')],
  'a whiteout': [file('d/.wh.x')],
  'a bare whiteout': [file('.wh.')],
  'an opaque whiteout': [file('d/.wh..wh..opq')],
  'a whiteout as a folder': [folder('.wh.d')],
  'a whiteout as a parent': [file('.wh.d/x')],
  'a character device': [entry({ name: 'x', type: '3' })],
  'a block device': [entry({ name: 'x', type: '4' })],
  'a FIFO': [entry({ name: 'x', type: '6' })],
  'a sparse file of GNU': [entry({ name: 'x', type: 'S', content: 'x' })],
  'a sparse file by pax': [pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }), file('x')],
  'a volume header': [entry({ name: 'x', type: 'V' })],
  'a continued file': [entry({ name: 'x', type: 'M', content: 'x' })],
  'an unknown type': [entry({ name: 'x', type: 'Q' })],
  'a name in Latin-1': [file(LATIN1)],
  'a name in Latin-1 by pax': [pax({ path: LATIN1 }), file('x')],
  'a link target in Latin-1': [symlink('l', LATIN1)],
  'a link to nothing at all': [symlink('l', '')],
  'a link of over 4 KiB': [pax({ linkpath: 'x'.repeat(5000) }), symlink('l', 'x')],
  'a link with a zero byte': [pax({ linkpath: 'x\0y' }), symlink('l', 'x')],
  'a file without a name': [file('.')],
  'a link for the root': [symlink('/', 'x')],
  'a name with a zero byte': [pax({ path: 'x\0y' }), file('x')],
  'a name of 256 bytes': [pax({ path: 'x'.repeat(256) }), file('x')],
  'a path of over 4 KiB': [pax({ path: 'x/'.repeat(2049) }), folder('x')],
  'a wrong checksum': [entry({ name: 'x', checksum: 1 })],
  'no magic': [entry({ name: 'x', magic: '' })],
  'a size that is no number': [entry({ name: 'x', size: Buffer.from('zzz') })],
  'a size with a letter in it': [entry({ name: 'x', content: 'x', size: Buffer.from('0000000001x\0') })],
  'a size with an eight': [entry({ name: 'x', content: 'x', size: Buffer.from('00000000008\0') })],
  'a size of two numbers': [entry({ name: 'x', content: 'x', size: Buffer.from('00001 00001\0') })],
  'a size below nothing': [entry({ name: 'x', content: 'x', size: Buffer.from('-0000000001\0') })],
  'a size by pax with a letter': [pax({ size: '1x' }), file('x', 'x')],
  'a size by pax in hexadecimal': [pax({ size: '0x1' }), file('x', 'x')],
  'a size by pax with a fraction': [pax({ size: '1.0' }), file('x', 'x')],
  'a size by pax over the real one': [pax({ size: '100000' }), file('x', 'x'), file('y')],
  'a size by pax below the real one': [pax({ size: '1' }), file('x', 'x'.repeat(600)), file('y')],
  'a mode that is no number': [Buffer.concat([withField(file('x'), 100, 'rwxr-xr\0')])],
  'a global size': [pax({ size: '0' }, 'g'), file('x', 'x')],
  'a global name': [pax({ path: 'y' }, 'g'), file('x', 'x')],
  'a global link': [pax({ linkpath: 'y' }, 'g'), symlink('x', 'z')],
  'two pax headers of an entry': [pax({ path: 'y' }), pax({ comment: 'z' }), file('x')],
  'two long names of an entry': [gnuLong('y'), gnuLong('z'), file('x')],
  'a name by GNU and one by pax': [gnuLong('y'), pax({ path: 'z' }), file('x')],
  'a name by pax and one by GNU': [pax({ path: 'z' }), gnuLong('y'), file('x')],
  'a pax record without a line end': [paxOf('8 path=y'), file('x')],
  'a pax record without a key': [paxOf('6 =yz\n'), file('x')],
  'a pax record without a sign': [paxOf('8 pathy\n'), file('x')],
  'a pax record that is too long': [paxOf('99 path=y\n'), file('x')],
  'a pax record that is too short': [paxOf('9 path=yz\n'), file('x')],
  'a pax record without a length': [paxOf('path=y\n'), file('x')],
  'a pax record of length zero': [paxOf('0 path=y\n'), file('x')],
  'zeros after a pax record': [paxOf('9 path=y\n\0\0'), file('x')],
  'a size of base 256 without end': [entry({ name: 'x', size: Buffer.alloc(12, 0x81) })],
  'a size of minus one': [entry({ name: 'x', size: Buffer.alloc(12, 0xff) })],
  'a size of minus sixteen': [entry({ name: 'x', size: Buffer.from('fffffffffffffffffffffff0', 'hex') })],
  'a negative size by pax': [pax({ size: '-512' }), file('x')],
  'a size that is none by pax': [pax({ size: 'much' }), file('x')],
  'a size beyond all numbers': [pax({ size: '9'.repeat(400) }), file('x')],
  'a file longer than the archive': [entry({ name: 'x', size: 0o7777777 })],
  'a folder with a size': [entry({ name: 'x/', type: '5', size: 512 }), file('hidden')],
  'a link with a size': [entry({ name: 'x', type: '2', linkname: 'y', size: 512 }), file('hidden')],
  'a hard link with a size': [entry({ name: 'x', type: '1', linkname: 'good', size: 512 }), file('hidden')],
  'a folder by its slash with content': [entry({ name: 'x/', content: 'x' })],
  'a long name of no bytes': [entry({ name: 'L', type: 'L' }), file('x', 'some content')],
  'a pax header of no bytes': [entry({ name: 'p', type: 'x' }), file('x', 'some content')],
  'a pax header that is too long': [entry({ name: 'p', type: 'x', content: Buffer.alloc(5 * 1024 * 1024, ' ') })],
  'a long name without end': [entry({ name: 'L', type: 'L', size: Buffer.alloc(12, 0x81) }), file('x')],
  'a header of nothing but its sum': [
    Buffer.concat([Buffer.alloc(148), Buffer.from('000400\0 '), Buffer.alloc(356)]),
    file('x'),
  ],
  'a block of zeros before an entry': [ZEROS, file('x')],
  'a block of zeros before a pax header': [ZEROS, pax({ comment: 'x' }), file('x')],
  'a pax header without an entry': [pax({ path: 'x' })],
};

describe('an archive is refused for', () => {
  for (const [what, parts] of Object.entries(REFUSED))
    it(what, { timeout: 20_000 }, async (t) => {
      const bytes = archive(file('good', 'good'), folder('d'), ...parts);
      await assert.rejects(linesOf(t, bytes), badInput);
      await assert.rejects(linesOf(t, gzipSync(bytes)), badInput, 'compressed');
      await assert.rejects(linesOfStream(t, bytes, 100), badInput, 'from a stream');
    });

  it('none of these: the good entries alone are fine', async (t) => {
    assert.deepEqual(await linesOf(t, archive(file('good', 'good'), folder('d'))), ['d/ 755', 'good 644 good']);
  });

  it('a sparse file as GNU tar writes it', { skip: missing('tar') }, async (t) => {
    const source = scratch(t);
    writeFileSync(join(source, 'holes'), 'x');
    truncateSync(join(source, 'holes'), 50_000_000);
    for (const format of ['gnu', 'pax']) {
      const made = execFileSync('tar', ['--create', '--sparse', `--format=${format}`, '-C', source, 'holes']);
      assert.ok(made.length < 1_000_000);
      await assert.rejects(linesOf(t, made), badInput, format);
    }
  });
});

describe('the limits on an archive', () => {
  const limited = (limits: Partial<typeof DEFAULT_LIMITS>) => ({ limits: { ...DEFAULT_LIMITS, ...limits } });
  const refused = hasCode('INPUT_REFUSED');

  it('count entries', async (t) => {
    const three = archive(file('a'), file('b'), file('a'));
    assert.equal((await linesOf(t, three, limited({ entries: 3 }))).length, 2);
    await assert.rejects(linesOf(t, three, limited({ entries: 2 })), refused);
  });

  it('count parents that no entry made, too', async (t) => {
    const deep = archive(pax({ path: 'd/'.repeat(1000) }), folder('x'));
    assert.equal((await linesOf(t, deep, limited({ entries: 1000 }))).length, 1000);
    await assert.rejects(linesOf(t, deep, limited({ entries: 999 })), refused);
  });

  it('count bytes, compressed or not', async (t) => {
    const bytes = archive(file('a', 'x'.repeat(100_000)));
    for (const form of [bytes, gzipSync(bytes)]) {
      assert.equal((await linesOf(t, form, limited({ bytes: bytes.length }))).length, 1);
      await assert.rejects(linesOf(t, form, limited({ bytes: bytes.length - 1 })), refused);
    }
  });

  it('count the bytes of names and links that are to be kept', async (t) => {
    const target = 'x/'.repeat(2000);
    const links = Array.from({ length: 100 }, (_, index) =>
      Buffer.concat([gnuLong(target, 'K'), symlink(`l${index}`, 'x')]),
    );
    assert.equal((await linesOf(t, archive(...links))).length, 100);
    const many = function* (): Generator<Buffer> {
      for (let index = 0; index < 40_000; index++)
        yield Buffer.concat([gnuLong(target, 'K'), symlink(`l${index}`, 'x')]);
      yield END;
    };
    await assert.rejects(
      withArchive(t, Readable.from(many(), { objectMode: false }), {}, () => undefined),
      refused,
    );
  });

  it('know a bomb, but leave a small archive of zeros alone', async (t) => {
    const small = gzipSync(archive(file('zeros', '\0'.repeat(30_000_000))));
    assert.equal((await linesOf(t, small, { limits: { ...DEFAULT_LIMITS, ratio: 10 } })).length, 1);
    const bomb = gzipSync(Buffer.concat([file('zeros', '\0'.repeat(100_000_000)), END]));
    assert.ok(bomb.length * 500 < 100_000_000);
    await assert.rejects(linesOf(t, bomb), refused);
    await withArchive(t, saved(t, bomb), limited({ ratio: 2000 }), ({ tree }) =>
      assert.equal(tree.get('zeros')?.kind, 'file'),
    );
  });
});
