import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type Zippable, zipSync } from 'fflate';
import { type ByteSource, withFile } from '../../src/python/byte-source.ts';
import type { CoreMetadata } from '../../src/python/metadata.ts';
import { readSdistMetadata } from '../../src/python/sdist.ts';
import { parseOwnMetadata, readWheelMetadata } from '../../src/python/wheel.ts';
import { readZipDirectory, readZipEntry } from '../../src/python/zip.ts';
import { badInput, hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { metadataText, sdist, tar, wheel } from './lab.ts';

function sourceOf(bytes: Buffer, name = 'a-1.0-py3-none-any.whl'): ByteSource & { readonly reads: number[] } {
  const reads: number[] = [];
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    reads.push(end - start);
    return bytes.subarray(start, end);
  };
  return { name, size: bytes.length, read, reads };
}

const METADATA = Buffer.from(metadataText('a', '1.0'));

describe('wheels', () => {
  it('are read by their directory and METADATA alone', async () => {
    const large = Buffer.alloc(3_000_000, 'x');
    for (const level of [0, 6] as const) {
      const files: Zippable = {
        'a/data': [large, { level: 0 }],
        'a-1.0.dist-info/METADATA': [METADATA, { level }],
      };
      const source = sourceOf(Buffer.from(zipSync(files)));
      assert.deepEqual(Buffer.from(await readWheelMetadata(source)), METADATA);
      assert.ok(source.reads.reduce((sum, size) => sum + size) < 100_000);
    }
  });

  it('may have a comment behind, an entry of a vendored project, and METADATA by another name', async () => {
    const other = Buffer.from(metadataText('b', '2'));
    const bytes = Buffer.from(
      zipSync({
        'b-2.dist-info/METADATA': other,
        'A-1.0.dist-info/METADATA': METADATA,
        'x/a-1.0.dist-info/METADATA': other,
      }),
    );
    assert.deepEqual(Buffer.from(await readWheelMetadata(sourceOf(bytes))), METADATA);
    const comment = Buffer.alloc(30_000, 'c');
    bytes.writeUInt16LE(comment.length, bytes.length - 2);
    assert.deepEqual(Buffer.from(await readWheelMetadata(sourceOf(Buffer.concat([bytes, comment])))), METADATA);
  });

  it('of Python’s zipfile are read, with and without ZIP64', { skip: missing('python3') }, async (t) => {
    const script = [
      'import sys, zipfile',
      'with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:',
      '  with archive.open("a-1.0.dist-info/METADATA", "w", force_zip64=True) as file: file.write(sys.stdin.buffer.read())',
      '  for number in range(int(sys.argv[2])): archive.writestr("f%d" % number, "")',
    ].join('\n');
    const path = join(scratch(t), 'a.whl');
    // From 65,535 entries on the directory's record is that of ZIP64.
    for (const count of ['3', '66000']) {
      execFileSync('python3', ['-c', script, path, count], { input: METADATA });
      await withFile(path, async (source) => {
        assert.equal((await readZipDirectory(source)).length, Number(count) + 1);
        assert.deepEqual(Buffer.from(await readWheelMetadata(source)), METADATA);
      });
    }
  });

  it('are refused where they are none, are cut off, or claim what is not there', async () => {
    const good = wheel('a', '1.0').bytes;
    const patched = (at: number, value: number): Buffer => {
      const copy = Buffer.from(good);
      copy.writeUInt32LE(value, at < 0 ? copy.length + at : at);
      return copy;
    };
    const broken: readonly Buffer[] = [
      Buffer.alloc(0),
      Buffer.from('<html>not found</html>'),
      Buffer.alloc(100_000),
      good.subarray(0, good.length - 30),
      good.subarray(30),
      patched(-6, 0xfffffff0),
      patched(-10, 0x7fffffff),
      patched(-10, 3),
      Buffer.from(zipSync({ 'other/file': METADATA })),
    ];
    for (const [index, bytes] of broken.entries())
      await assert.rejects(readWheelMetadata(sourceOf(bytes)), hasCode('INPUT_MALFORMED'), String(index));
  });

  it('are refused with a name that leads out, wherever it stands', async () => {
    for (const name of ['../x', 'a/../../x', '/etc/passwd', 'C:\\x', 'a\\..\\x', '\\x'])
      await assert.rejects(
        readWheelMetadata(sourceOf(wheel('a', '1.0', { files: { [name]: '' } }).bytes)),
        hasCode('INPUT_REFUSED'),
        name,
      );
    const fine = wheel('a', '1.0', { files: { 'a/..b/c..': '', 'a/...': '' } });
    await readWheelMetadata(sourceOf(fine.bytes));
  });

  it('do not inflate to more than they may', async () => {
    const source = sourceOf(wheel('a', '1.0', { metadata: Buffer.alloc(5_000_000) }).bytes);
    const entry = (await readZipDirectory(source)).find(({ name }) => name.endsWith('/METADATA'));
    assert.ok(entry !== undefined);
    await assert.rejects(readZipEntry(source, entry, 1_000_000), hasCode('INPUT_REFUSED'));
    // A directory that lies about the size.
    await assert.rejects(readZipEntry(source, { ...entry, size: 10 }, 1_000_000), hasCode('INPUT_REFUSED'));
    await assert.rejects(readZipEntry(source, { ...entry, size: 10 }, 9_000_000), hasCode('INPUT_MALFORMED'));
    await assert.rejects(readZipEntry(source, { ...entry, method: 12 }, 9_000_000), hasCode('INPUT_MALFORMED'));
    await assert.rejects(readZipEntry(source, { ...entry, offset: 7 }, 9_000_000), hasCode('INPUT_MALFORMED'));
  });

  it('have the metadata of what their names say', () => {
    const file = { name: 'a', version: '1.0.0', file: 'a-1.0.0-py3-none-any.whl' };
    assert.equal(parseOwnMetadata(METADATA, file).version, '1.0');
    for (const other of [{ name: 'b' }, { version: '1.1' }])
      assert.throws(() => parseOwnMetadata(METADATA, { ...file, ...other }), hasCode('INPUT_MALFORMED'));
  });
});

describe('sdists', () => {
  const own = { name: 'a', version: '1.0', file: 'a-1.0.tar.gz' };

  async function read(t: TestContext, bytes: Buffer, file = own.file): Promise<CoreMetadata> {
    const path = join(scratch(t), file);
    writeFileSync(path, bytes);
    return readSdistMetadata(path, { ...own, file });
  }

  const required = async (t: TestContext, bytes: Buffer, file?: string): Promise<readonly string[]> =>
    (await read(t, bytes, file)).requires.map(({ text }) => text);

  const setuptools = {
    'a.egg-info/PKG-INFO': metadataText('a', '1.0'),
    'a.egg-info/requires.txt': 'six\n[test]\npytest\n',
    'tests/other.egg-info/PKG-INFO': metadataText('other', '1'),
    'tests/other.egg-info/requires.txt': 'wrong\n',
  };

  it('tell it by PKG-INFO where that is final, else by egg-info', async (t) => {
    const final = metadataText('a', '1.0', { requires: ['b', 'c'] }).replace('2.1', '2.2');
    const dynamic = final.replace('Name:', 'Dynamic: Requires-Dist\nName:');
    assert.deepEqual(await required(t, sdist('a', '1.0', { metadata: final, files: setuptools }).bytes), ['b', 'c']);
    const expected = ['six', 'pytest ; extra == "test"'];
    for (const metadata of [dynamic, metadataText('a', '1.0', { requires: ['wrong'] })])
      assert.deepEqual(await required(t, sdist('a', '1.0', { metadata, files: setuptools }).bytes), expected);
    const { extras } = await read(t, sdist('a', '1.0', { files: setuptools }).bytes);
    assert.deepEqual(extras, ['test']);
    const nothing = sdist('a', '1.0', { files: { 'src/a.egg-info/PKG-INFO': metadataText('a', '1.0') } });
    assert.deepEqual(await required(t, nothing.bytes), []);
  });

  it('are read as .zip, too', async (t) => {
    const files = { 'PKG-INFO': metadataText('a', '1.0'), ...setuptools };
    const entries = Object.entries(files).map(([path, text]): [string, Uint8Array] => [
      `a-1.0/${path}`,
      Buffer.from(text),
    ]);
    const zip = Buffer.from(zipSync(Object.fromEntries(entries)));
    assert.deepEqual(await required(t, zip, 'a-1.0.zip'), ['six', 'pytest ; extra == "test"']);
  });

  it('are refused with a hint that names the option that helps', async (t) => {
    const table: readonly (readonly [Buffer, string?])[] = [
      [sdist('a', '1.0').bytes],
      [gzipSync(tar([['a-1.0/setup.py', 'import os']]))],
      [sdist('a', '1.0').bytes, 'a-1.0.tar.bz2'],
    ];
    for (const [bytes, file] of table)
      await assert.rejects(read(t, bytes, file), (error) => badInput(error) && /find-links/.test(hintOf(error)));
  });

  it('are refused where they are broken, unsafe, or of another project', async (t) => {
    const good = sdist('a', '1.0', { files: setuptools }).bytes;
    const table: readonly Buffer[] = [
      Buffer.from('<html>not found</html>'),
      good.subarray(0, good.length - 20),
      gzipSync(Buffer.from('no tar at all, only text that is longer than nothing'.repeat(20))),
      gzipSync(tar([['../a-1.0/PKG-INFO', metadataText('a', '1.0')]])),
      gzipSync(tar([['/a-1.0/PKG-INFO', metadataText('a', '1.0')]])),
      sdist('a', '1.0', { metadata: metadataText('b', '1.0'), files: setuptools }).bytes,
      sdist('a', '1.0', { metadata: metadataText('a', '1.1'), files: setuptools }).bytes,
    ];
    for (const [index, bytes] of table.entries()) await assert.rejects(read(t, bytes), badInput, String(index));
  });
});

function hintOf(error: unknown): string {
  return error instanceof Error && 'hint' in error ? String(error.hint) : '';
}
