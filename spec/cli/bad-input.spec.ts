import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type ErrorCode, EXIT_CODES, pack } from '../../src/index.ts';
import { type CliOptions, runCli } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { missing, nixpkgsFixture } from '../support/fixtures.ts';
import { APP_PATH, type Folder, appEntries, elfHead, everythingIn, labFolder, tarOf } from '../support/packed.ts';
import { asPlainUser } from '../support/plain-user.ts';
import { archive, entry, file, folder, hardLink, pax, symlink } from '../support/tars.ts';

const nix = await nixpkgsFixture();

/** A small application; every bad archive is this one and something bad. */
const APP = await tarOf(appEntries(elfHead(62)));
const GOOD = APP.subarray(0, APP.length - 1024);
const WHOLE = archive(GOOD);
const GZIP = gzipSync(WHOLE);

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x20;
  return copy;
}

const REFUSED: Readonly<Record<string, readonly Uint8Array[]>> = {
  'path traversal': [file('../../etc/cron.d/x', 'x')],
  'path traversal by pax': [pax({ path: 'nix/../../x' }), file('x')],
  'path traversal by an absolute name': [file('/../x')],
  'an entry below a symlink': [symlink('out', '/etc'), file('out/passwd', 'x')],
  'an entry below the link to the environment': [file('app/bin/x')],
  'a hard link to nothing': [hardLink('x', 'nix/nothing')],
  'a hard link outside': [hardLink('x', '../../etc/passwd')],
  'a whiteout': [file('nix/.wh.store')],
  'an opaque whiteout': [file('.wh..wh..opq')],
  'a character device': [entry({ name: 'dev/null', type: '3' })],
  'a block device': [entry({ name: 'dev/sda', type: '4' })],
  'a FIFO': [entry({ name: 'pipe', type: '6' })],
  'a sparse file': [pax({ 'GNU.sparse.major': '1' }), file('x')],
  'a name that is not UTF-8': [file(Buffer.from([0x63, 0xe9]))],
  'a name that is not UTF-8 by pax': [pax({ path: Buffer.from([0xff, 0xfe]) }), file('x')],
  'a link target that is not UTF-8': [symlink('x', Buffer.from([0xc3, 0x28]))],
  'a name of terminal controls below a file': [file('\u001b[2J'), file('\u001b[2J/x')],
};

const MALFORMED: Readonly<Record<string, Uint8Array>> = {
  'an empty file': Buffer.alloc(0),
  'no tar at all': Buffer.from('#!/bin/sh\necho not a tar\n'),
  'a gzip of no tar': gzipSync('not a tar'),
  'a gzip of nothing': gzipSync(''),
  'a zip': Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(2000, 7)]),
  'a gzip that is cut off': GZIP.subarray(0, GZIP.length >> 1),
  'a gzip without its sum': GZIP.subarray(0, GZIP.length - 8),
  'a tar that is cut off in a header': WHOLE.subarray(0, 512 * 2 + 100),
  'a tar that is cut off inside a file': archive(GOOD, file('x', 'x'.repeat(5000))).subarray(0, GOOD.length + 1000),
  'a tar that is cut off inside a file, in a gzip that is not': gzipSync(
    archive(GOOD, file('x', 'x'.repeat(5000))).subarray(0, GOOD.length + 1000),
  ),
  'a tar without an end': GOOD,
  'garbage after the gzip': Buffer.concat([GZIP, Buffer.from('garbage')]),
  'zeros after the gzip': Buffer.concat([GZIP, Buffer.alloc(100)]),
  "garbage after the archive's end": Buffer.concat([WHOLE, Buffer.alloc(512, 'garbage')]),
  "another archive after the archive's end": Buffer.concat([WHOLE, WHOLE]),
  'a wrong sum of a gzip': damaged(GZIP, GZIP.length - 7),
  'a wrong length of a gzip': damaged(GZIP, GZIP.length - 2),
  'a wrong sum of the first header': damaged(WHOLE, 3),
  'a wrong sum of a later header': damaged(WHOLE, 512 + 3),
  'a size over the archive': archive(GOOD, entry({ name: 'x', content: 'x', size: 0o77777777 })),
  'a size that is negative': archive(GOOD, entry({ name: 'x', content: 'x', size: Buffer.alloc(12, 0xff) })),
  'a size of base 256 beyond all disks': archive(
    GOOD,
    entry({ name: 'x', content: 'x', size: Buffer.from('80ffffffffffffffffffffff', 'hex') }),
  ),
  'a size that is no octal number': archive(
    GOOD,
    entry({ name: 'x', content: 'x', size: Buffer.from('0000000009\0') }),
  ),
  'a size by pax over the real one': archive(GOOD, pax({ size: '1025' }), file('x', 'x')),
  'a size by pax that is no number': archive(GOOD, pax({ size: '1e1' }), file('x', 'x')),
  'a pax header that is broken': archive(GOOD, entry({ name: 'p', type: 'x', content: '99 path=x\n' }), file('x')),
  'a symlink loop in /app': archive(
    GOOD.subarray(0, GOOD.length - 512),
    symlink('app', 'round'),
    symlink('round', 'about'),
    symlink('about', 'app'),
  ),
  'a symlink in /app that leads to itself': archive(
    GOOD.subarray(0, GOOD.length - 512),
    folder('app/bin'),
    symlink('app/bin/python', 'python'),
  ),
};

describe('bad input: exit 3, nothing written, nothing left behind', () => {
  let lab: Folder;
  let work: string;
  let tmp: string;
  before(async () => {
    lab = await labFolder();
    tmp = join(lab.folder, 'tmp');
    mkdirSync(tmp);
  });
  after(() => lab.remove());
  beforeEach(() => {
    work = mkdtempSync(join(lab.folder, 'work-'));
  });

  async function fails(args: readonly string[], code: ErrorCode, options: CliOptions = {}): Promise<string> {
    const there = everythingIn(work);
    const env = { TMPDIR: tmp, ...options.env };
    const { code: exit, stdout, stderr } = await runCli(args, { cwd: work, ...options, env });
    assert.deepEqual([exit, stdout], [EXIT_CODES[code], ''], stderr);
    assert.match(stderr, new RegExp(`^oci-plone: ${code}: \\S`, 'm'));
    assert.deepEqual(everythingIn(work), there, 'something was written');
    assert.deepEqual(everythingIn(tmp), [], 'something is left in TMPDIR');
    return stderr;
  }

  it('but the application alone is good', async () => {
    writeFileSync(join(work, 'app.tar.gz'), GZIP);
    const { code, stderr } = await runCli(['pack', 'app.tar.gz'], { cwd: work, env: { TMPDIR: tmp } });
    assert.equal(code, 0, stderr);
    assert.deepEqual(readdirSync(work), ['app.oci', 'app.tar.gz']);
    assert.deepEqual(everythingIn(tmp), []);
  });

  /** Every way to write an image, in turn. */
  const WAYS: readonly (readonly string[])[] = [
    ['-o', 'x.oci'],
    ['-o', 'x.tar'],
    ['-o', 'x.nix.tar.gz', '--quiet'],
    ['--push', '127.0.0.1:1/x'],
  ];
  let turn = 0;
  for (const [what, parts] of Object.entries(REFUSED)) {
    const way = WAYS[turn++ % WAYS.length] ?? [];
    it(`${what}, ${way.slice(0, 2).join(' ')}`, async () => {
      const bytes = archive(GOOD, ...parts);
      writeFileSync(join(work, 'bad.tar'), bytes);
      writeFileSync(join(work, 'bad.tar.gz'), gzipSync(bytes));
      const said = await fails(['pack', 'bad.tar', ...way], 'INPUT_REFUSED');
      assert.ok(!said.includes('\u001b'), 'a terminal would do more than show it');
      const kept = pack({ input: join(work, 'bad.tar.gz'), layers: 'verbatim', output: join(work, 'v.oci'), env: {} });
      await assert.rejects(kept, hasCode('INPUT_REFUSED'), 'verbatim');
      assert.deepEqual(readdirSync(work), ['bad.tar', 'bad.tar.gz']);
    });
  }

  for (const [what, bytes] of Object.entries(MALFORMED)) {
    const way = WAYS[turn++ % WAYS.length] ?? [];
    // The tarball in the middle has no entrypoint that could be missing.
    const image = what.includes('/app') ? WAYS[0] : way;
    it(`${what}, ${(image ?? way).slice(0, 2).join(' ')}`, { timeout: 60_000 }, async () => {
      writeFileSync(join(work, 'bad.tar.gz'), bytes);
      const stdin = { stdin: join(work, 'bad.tar.gz') };
      if (what.length % 2 === 0) await fails(['pack', 'bad.tar.gz', ...(image ?? way)], 'INPUT_MALFORMED');
      else await fails(['pack', '-', ...(image ?? way)], 'INPUT_MALFORMED', stdin);
    });
  }

  const ABSENT: Readonly<Record<string, readonly [string, ErrorCode]>> = {
    'an archive that is not there': ['absent.tar.gz', 'INPUT_ABSENT'],
    'an expression that is not there': ['absent.nix', 'INPUT_ABSENT'],
    'a name below a file': ['file/x', 'INPUT_ABSENT'],
    'an expression below a file': ['file/x.nix', 'INPUT_ABSENT'],
    'a link to nothing': ['dangling', 'INPUT_ABSENT'],
    'a loop of links': ['loop', 'INPUT_MALFORMED'],
    'an expression that is a loop of links': ['loop.nix', 'INPUT_MALFORMED'],
    'a name that no file can have': ['x'.repeat(300), 'INPUT_ABSENT'],
    'a name that no expression can have': [`${'x'.repeat(300)}.nix`, 'INPUT_ABSENT'],
    'a folder': ['folder', 'INPUT_MALFORMED'],
    'an expression that is a folder': ['folder.nix', 'INPUT_MALFORMED'],
    'a device': ['/dev/null', 'INPUT_MALFORMED'],
    'a FIFO that nobody writes to': ['fifo', 'INPUT_MALFORMED'],
  };
  for (const [what, [input, code]] of Object.entries(ABSENT))
    it(what, { timeout: 30_000, skip: what.includes('FIFO') && missing('mkfifo') }, async () => {
      writeFileSync(join(work, 'file'), 'x');
      symlinkSync('nothing', join(work, 'dangling'));
      symlinkSync('loop', join(work, 'loop'));
      symlinkSync('loop.nix', join(work, 'loop.nix'));
      mkdirSync(join(work, 'folder'));
      mkdirSync(join(work, 'folder.nix'));
      if (what.includes('FIFO')) execFileSync('mkfifo', [join(work, 'fifo')]);
      await fails(['pack', input, '-o', 'x.oci'], code);
    });

  it('an archive, a folder and an expression that this user may not read', async () => {
    chmodSync(lab.folder, 0o755);
    chmodSync(work, 0o777);
    const secret = join(work, 'secret');
    mkdirSync(secret);
    for (const name of ['secret.tar', 'secret.nix', 'secret/x.tar', 'secret/x.nix'])
      writeFileSync(join(work, name), WHOLE, { mode: 0 });
    chmodSync(secret, 0);
    const there = everythingIn(work);
    await asPlainUser(async () => {
      for (const name of ['secret.tar', 'secret.nix', 'secret/x.tar', 'secret/x.nix'])
        await assert.rejects(
          pack({ input: join(work, name), output: join(work, 'x.oci'), env: process.env, store: join(work, 'store') }),
          hasCode('INPUT_ABSENT'),
          name,
        );
    });
    assert.deepEqual(everythingIn(work), there);
  });

  it('standard input that ends early', async () => {
    await fails(['pack', '-', '-o', 'x.oci'], 'INPUT_MALFORMED', { stdin: Readable.from([WHOLE.subarray(0, 3000)]) });
    await fails(['pack', '-', '-o', 'x.oci'], 'INPUT_MALFORMED');
  });

  describe('a store path that is not valid', { skip: nix.skip || missing('bwrap', 'nix-store') }, () => {
    const PATHS: Readonly<Record<string, readonly [string, ErrorCode]>> = {
      'of a store that does not have it': [APP_PATH, 'INPUT_ABSENT'],
      'with a hash that is none': ['/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-app', 'INPUT_MALFORMED'],
      'with a name that is none': ['/nix/store/00000000000000000000000000000000-a b', 'INPUT_MALFORMED'],
    };
    for (const [what, [path, code]] of Object.entries(PATHS))
      it(what, async () => {
        await fails(['pack', path, '-o', 'x.oci', '--store', join(lab.folder, 'store')], code);
      });

    it('which lies in the store, and of which its database knows nothing', async () => {
      const store = join(lab.folder, 'store');
      const place = join(store, APP_PATH);
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'x'), 'x');
      await fails(['pack', place, '-o', 'x.oci', '--store', store], 'INPUT_ABSENT');
    });
  });

  describe('limits', () => {
    const LIMITS: Readonly<Record<string, readonly string[]>> = {
      entries: ['--max-entries', '3'],
      bytes: ['--max-bytes', '4000'],
    };
    for (const [what, flags] of Object.entries(LIMITS))
      it(what, async () => {
        writeFileSync(join(work, 'app.tar.gz'), GZIP);
        await fails(['pack', 'app.tar.gz', ...flags, '-o', 'x.oci'], 'INPUT_REFUSED');
      });

    for (const value of ['0', '-1', 'many', ''])
      it(`of ${JSON.stringify(value)} is a usage error`, async () => {
        writeFileSync(join(work, 'app.tar.gz'), GZIP);
        for (const flag of ['--max-entries', '--max-bytes', '--max-ratio'])
          await fails(['pack', 'app.tar.gz', `${flag}=${value}`, '-o', 'x.oci'], 'USAGE');
      });
  });
});

describe('a place that cannot be written: exit 9', () => {
  it('an output of somebody else', async (t) => {
    const lab = await labFolder();
    t.after(() => lab.remove());
    chmodSync(lab.folder, 0o755);
    const input = join(lab.folder, 'app.tar.gz');
    writeFileSync(input, GZIP);
    const closed = join(lab.folder, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    if (process.geteuid?.() === 0) chownSync(closed, 0, 0);
    mkdirSync(join(lab.folder, 'notalayout.oci'));
    writeFileSync(join(lab.folder, 'notalayout.oci', 'mine'), 'mine');
    await asPlainUser(async () => {
      for (const name of ['x.oci', 'x.tar', 'no/such/x.oci'])
        await assert.rejects(pack({ input, output: join(closed, name), env: {} }), hasCode('LOCAL_IO'), name);
    });
    await assert.rejects(pack({ input, output: join(lab.folder, 'notalayout.oci'), env: {} }), hasCode('LOCAL_IO'));
    await assert.rejects(pack({ input, output: join(input, 'x.oci'), env: {} }), hasCode('LOCAL_IO'));
    assert.deepEqual(everythingIn(lab.folder), ['app.tar.gz', 'closed', 'notalayout.oci', 'notalayout.oci/mine']);
    assert.ok(existsSync(dirname(input)));
  });
});
