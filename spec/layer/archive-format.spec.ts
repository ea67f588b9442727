import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { archiveFormat } from '../../src/layer/archive-format.ts';
import { DEFAULT_LIMITS } from '../../src/layer/archive-limits.ts';
import { readArchive } from '../../src/layer/read-archive.ts';
import { linesOf, linesOfStream, noZstd, saved, streamOf, withArchive, zstd } from '../support/archives.ts';
import { badInput, hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { asPlainUser } from '../support/plain-user.ts';
import { scratch } from '../support/scratch.ts';
import { archive, file, folder } from '../support/tars.ts';
import { lines } from '../support/trees.ts';

const TAR = archive(folder('d/'), file('d/a', 'one'), file('b', 'x'.repeat(2000)));
const LINES = ['b 644 ' + 'x'.repeat(2000), 'd/ 755', 'd/a 644 one'];

describe('an archive is recognised by its first bytes', () => {
  it('whatever its name says', async (t) => {
    for (const [bytes, name, format] of [
      [TAR, 'a.tar.gz', 'tar'],
      [gzipSync(TAR), 'a.tar', 'gzip'],
    ] as const)
      await withArchive(t, saved(t, bytes, name), {}, (read) => {
        assert.equal(read.format, format);
        assert.deepEqual(lines(read.tree), LINES);
      });
  });

  it('as zstd', { skip: noZstd }, async (t) => {
    await withArchive(t, saved(t, zstd(TAR)), {}, (read) => {
      assert.equal(read.format, 'zstd');
      assert.deepEqual(lines(read.tree), LINES);
    });
  });

  it('as zstd, which an older Node cannot read', { skip: noZstd === false && 'this Node has zstd' }, async (t) => {
    await assert.rejects(linesOf(t, Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0])), hasCode('USAGE'));
  });

  const OTHERS: Readonly<Record<string, Uint8Array>> = {
    nothing: Buffer.alloc(0),
    'a text': Buffer.from('with import <nixpkgs> {}; python3\n'),
    'a long text': Buffer.alloc(20_000, 'with import <nixpkgs> {};'),
    bzip2: Buffer.concat([Buffer.from('BZh91AY&SY'), Buffer.alloc(600, 1)]),
    xz: Buffer.concat([Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), Buffer.alloc(600, 1)]),
    zip: Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(600, 1)]),
    'a nar': Buffer.concat([Buffer.from([13, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(600, 'nix-archive-1')]),
    'one byte of gzip': Buffer.from([0x1f]),
    'a tar of half a block': TAR.subarray(0, 256),
    'a tar whose first header has another sum': Buffer.concat([Buffer.from('x'), TAR.subarray(1)]),
  };
  for (const [what, bytes] of Object.entries(OTHERS))
    it(`and ${what} is none`, async (t) => {
      assert.equal(archiveFormat(bytes), null);
      await assert.rejects(linesOf(t, bytes), hasCode('INPUT_MALFORMED'));
      await assert.rejects(linesOfStream(t, bytes), hasCode('INPUT_MALFORMED'));
    });

  it('and a gzip of no tar is broken', async (t) => {
    for (const inner of ['', 'text', 'x'.repeat(5000)])
      await assert.rejects(linesOf(t, gzipSync(inner)), badInput, inner);
  });
});

describe('an archive from elsewhere', () => {
  it('is the same from a stream, in pieces of any size', async (t) => {
    for (const bytes of [TAR, gzipSync(TAR)])
      for (const piece of [1, 7, 511, 512, 513, 100_000]) assert.deepEqual(await linesOfStream(t, bytes, piece), LINES);
  });

  it('is the same from a stream of zstd', { skip: noZstd }, async (t) => {
    for (const piece of [1, 100, 100_000]) assert.deepEqual(await linesOfStream(t, zstd(TAR), piece), LINES);
  });

  it('may be gzip in several members, cut anywhere', async (t) => {
    for (const cut of [0, 1, 511, 512, 700, TAR.length]) {
      const members = Buffer.concat([gzipSync(TAR.subarray(0, cut)), gzipSync(TAR.subarray(cut))]);
      assert.deepEqual(await linesOf(t, members), LINES, `cut at ${cut}`);
      assert.deepEqual(await linesOfStream(t, members, 1), LINES, `cut at ${cut}, from a stream`);
    }
  });

  it("may be GNU tar's, in each of its formats", { skip: missing('tar') }, async (t) => {
    const source = scratch(t);
    const long = `${'long/'.repeat(40)}${'n'.repeat(150)}`;
    mkdirSync(join(source, 'in', long, '..'), { recursive: true });
    writeFileSync(join(source, 'in', long), 'deep');
    writeFileSync(join(source, 'in', 'ä'), Buffer.alloc(70_000, 'big'));
    for (const format of ['gnu', 'oldgnu', 'pax', 'posix']) {
      const made = execFileSync('tar', ['--create', '--gzip', `--format=${format}`, '-C', source, 'in']);
      const seen = await linesOf(t, made);
      assert.ok(
        seen.some((line) => line.startsWith(`in/${long} `) && line.endsWith(' deep')),
        format,
      );
      assert.ok(
        seen.some((line) => line.startsWith('in/ä ') && line.length > 70_000),
        format,
      );
    }
  });

  it("may be Python's", { skip: missing('python3') }, async (t) => {
    const source = scratch(t);
    mkdirSync(join(source, 'd', 'ü'.repeat(60)), { recursive: true });
    writeFileSync(join(source, 'd', 'ü'.repeat(60), 'f'), 'deep');
    const made = join(source, 'made.tar.gz');
    execFileSync('python3', [
      '-c',
      'import sys, tarfile\nwith tarfile.open(sys.argv[2], "w:gz") as tar: tar.add(sys.argv[1], "d")',
      join(source, 'd'),
      made,
    ]);
    const seen = await linesOf(t, readFileSync(made));
    assert.ok(seen.some((line) => line.startsWith(`d/${'ü'.repeat(60)}/f `)));
  });
});

describe('an archive that cannot be opened', () => {
  const at = (path: string, spoolFolder: string): Promise<unknown> =>
    readArchive(path, { limits: DEFAULT_LIMITS, spoolFolder });

  it('is absent, whatever kind of nothing is there', async (t) => {
    const place = scratch(t);
    writeFileSync(join(place, 'file'), '');
    for (const name of ['nothing', 'file/below', 'n'.repeat(300)])
      await assert.rejects(at(join(place, name), place), hasCode('INPUT_ABSENT'), name);
  });

  it('is a folder or a device', async (t) => {
    const place = scratch(t);
    await assert.rejects(at(place, place), hasCode('INPUT_MALFORMED'));
    await assert.rejects(at('/dev/null', place), hasCode('INPUT_MALFORMED'));
  });

  it(
    'is a FIFO that nobody writes to, without waiting for it',
    { skip: missing('mkfifo'), timeout: 20_000 },
    async (t) => {
      const place = scratch(t);
      execFileSync('mkfifo', [join(place, 'fifo')]);
      await assert.rejects(at(join(place, 'fifo'), place), hasCode('INPUT_MALFORMED'));
    },
  );

  it('is not readable', async (t) => {
    const place = scratch(t);
    chmodSync(place, 0o777);
    writeFileSync(join(place, 'secret'), TAR, { mode: 0 });
    await asPlainUser(() => assert.rejects(at(join(place, 'secret'), place), hasCode('INPUT_ABSENT')));
  });

  it('has no place to be spooled to', async (t) => {
    await assert.rejects(at(saved(t, gzipSync(TAR)), join(scratch(t), 'nothing')), hasCode('LOCAL_IO'));
  });
});

describe('a stream', () => {
  it('that breaks is an error of this machine, early or late', async (t) => {
    const broken = (first: Uint8Array): Readable =>
      Readable.from(
        (async function* pieces() {
          yield await Promise.resolve(first);
          throw Object.assign(new Error('read EIO'), { code: 'EIO' });
        })(),
        { objectMode: false },
      );
    for (const first of [Buffer.from([0x1f]), TAR.subarray(0, 700), gzipSync(TAR).subarray(0, 60)])
      await assert.rejects(
        withArchive(t, broken(first), {}, () => undefined),
        hasCode('LOCAL_IO'),
      );
  });

  it('that says nothing can be given up, early or late', { timeout: 20_000 }, async (t) => {
    for (const first of [Buffer.alloc(0), TAR.subarray(0, 100), TAR.subarray(0, 700), gzipSync(TAR)]) {
      const stop = new AbortController();
      const stalled = new Readable({ read: () => undefined });
      if (first.length > 0) stalled.push(first);
      setImmediate(() => stop.abort());
      await assert.rejects(
        withArchive(t, stalled, { signal: stop.signal }, () => undefined),
        hasCode('ABORTED'),
      );
    }
  });

  it('is not begun where the signal has fired before', async (t) => {
    const options = { signal: AbortSignal.abort() };
    await assert.rejects(
      withArchive(t, streamOf(gzipSync(TAR), 100), options, () => undefined),
      hasCode('ABORTED'),
    );
    await assert.rejects(
      withArchive(t, saved(t, TAR), options, () => undefined),
      hasCode('ABORTED'),
    );
  });
});
