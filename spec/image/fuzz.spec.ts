import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { OciPloneError, exportTarball, pack } from '../../src/index.ts';
import { noZstd, zstd } from '../support/archives.ts';
import { SEED, times } from '../support/chance.ts';
import { missing } from '../support/fixtures.ts';
import { checkAtRest } from '../support/layouts.ts';
import { APP_PATH, type Folder, elfHead, everythingIn, labFolder } from '../support/packed.ts';
import { headersOf } from '../support/tars.ts';

/** Far more than any of these takes: what lasts longer hangs. */
const HANGS_MILLISECONDS = 60_000;

const BLOCK = 512;

/** Places and sizes of a header's fields (POSIX pax, "ustar"): name, mode, size, time, typeflag, link, magic, prefix. */
const FIELDS: readonly (readonly [at: number, length: number])[] = [
  [0, 100],
  [100, 8],
  [124, 12],
  [136, 12],
  [156, 1],
  [157, 100],
  [257, 8],
  [345, 155],
];

/** What is put into fields: numbers that lie, names that lead elsewhere, other kinds of entry. */
const VALUES: readonly string[] = [
  '\0 0 1 2 3 5 6 7 x g L K S V M'.split(' '),
  ['00000000000\0', '00000001000\0', '77777777777\0', '0000000000x', '-1', ' 7 7', '\x80\0\0\0\0\0\0\0\0\0\x02\0'],
  [
    '\xff'.repeat(12),
    '../../x',
    '/etc/passwd',
    './',
    '.',
    '..',
    'app',
    'nix',
    'nix/store',
    '.wh.x',
    'nix/.wh..wh..opq',
  ],
  ['a/'.repeat(50), '\xe9\xff', 'ustar  \0', 'ustar\x0000', 'app/bin/python', 'tmp', 'etc/passwd'],
].flat();

interface Change {
  readonly kind: 'flip' | 'set' | 'cut' | 'drop' | 'insert' | 'splice' | 'field' | 'repeat';
  readonly at: number;
  readonly length: number;
  readonly value: number;
}

const anyChanges: fc.Arbitrary<Change[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Change['kind'][]>(
      'flip',
      'set',
      'cut',
      'drop',
      'insert',
      'splice',
      'field',
      'field',
      'field',
      'repeat',
    ),
    at: fc.nat(),
    length: fc.oneof(fc.nat({ max: 40 }), fc.constantFrom(BLOCK, 2 * BLOCK, 4096)),
    value: fc.nat(),
  }),
  { minLength: 1, maxLength: 2 },
);

describe('a mutated archive', { skip: missing('tar', 'python3') }, () => {
  let lab: Folder;
  let tars: readonly Buffer[];
  before(async () => {
    lab = await labFolder();
    tars = realTars(lab.folder);
    // Of this process alone: other specs have theirs in the usual one at the same time.
    mkdirSync(join(lab.folder, 'tmp'));
    process.env['TMPDIR'] = join(lab.folder, 'tmp');
  });
  after(() => lab.remove());

  function mutated(original: Buffer, changes: readonly Change[]): Buffer {
    let bytes: Buffer = Buffer.from(original);
    for (const { kind, at, length, value } of changes) {
      const place = at % (bytes.length + 1);
      const put = (middle: Uint8Array, dropped: number): Buffer =>
        Buffer.concat([bytes.subarray(0, place), middle, bytes.subarray(place + dropped)]);
      const other = tars[value % tars.length] ?? original;
      const part = other.subarray(value % other.length, (value % other.length) + length);
      switch (kind) {
        case 'flip':
          bytes[place] = (bytes[place] ?? 0) ^ (1 << (value % 8));
          break;
        case 'set':
          bytes = put(Buffer.from([value & 0xff]), 1);
          break;
        case 'cut':
          bytes = bytes.subarray(0, place);
          break;
        case 'drop':
          bytes = put(Buffer.alloc(0), length);
          break;
        case 'insert':
          bytes = put(Buffer.alloc(length, value & 0xff), 0);
          break;
        case 'splice':
          bytes = put(part, part.length);
          break;
        case 'repeat':
          bytes = put(bytes.subarray(place, place + length), 0);
          break;
        case 'field':
          editHeader(bytes, at, value);
      }
    }
    return bytes;
  }

  /** What else a run may leave is nothing: not beside its input and output, not in the folder of temporary files. */
  function assertNothingElse(allowed: readonly string[]): void {
    const work = everythingIn(join(lab.folder, 'work')).filter((name) => !name.startsWith('out.oci/'));
    assert.deepEqual(work, allowed);
    assert.deepEqual(everythingIn(join(lab.folder, 'tmp')), []);
    assert.deepEqual(readdirSync(lab.folder), ['source', 'tmp', 'work']);
  }

  it(
    'is an image that is valid, or bad input: never a bug, a hang, or a file elsewhere',
    { timeout: 7_200_000 },
    async (t) => {
      t.diagnostic(`OCI_PLONE_SEED=${SEED}`);
      const work = join(lab.folder, 'work');
      mkdirSync(work);
      const input = join(work, 'in');
      const output = join(work, 'out.oci');
      const forms = [
        'tar',
        'gzip',
        'gzip, mutated after',
        'verbatim',
        ...(noZstd === false ? ['zstd', 'zstd, mutated after'] : []),
      ];
      const counts = { valid: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.nat(),
          fc.constantFrom(...forms),
          anyChanges,
          fc.constantFrom('/app/bin/python', null),
          async (which, form, changes, entrypoint) => {
            const original = tars[which % tars.length] ?? Buffer.alloc(0);
            writeFileSync(
              input,
              formed(original, form, (bytes) => mutated(bytes, changes)),
            );
            rmSync(output, { recursive: true, force: true });
            try {
              const { digest } = await pack({
                input,
                output,
                env: {},
                encoder: 'zlib',
                layers: form === 'verbatim' ? 'verbatim' : 'one',
                entrypoint: entrypoint === null ? [] : [entrypoint],
                signal: AbortSignal.timeout(HANGS_MILLISECONDS),
              });
              assert.deepEqual(checkAtRest(output), { latest: digest });
              counts.valid += 1;
            } catch (error) {
              assert.ok(error instanceof OciPloneError, error instanceof Error ? error.stack : String(error));
              assert.equal(error.exitCode, 3, `${error.code}: ${error.message}`);
              assert.ok(!existsSync(output));
              counts.refused += 1;
            }
            assertNothingElse(existsSync(output) ? ['in', 'out.oci'] : ['in']);
          },
        ),
        { seed: SEED, numRuns: times(300) },
      );
      t.diagnostic(`${counts.valid} valid, ${counts.refused} refused`);
      // Otherwise the mutations are of no use.
      assert.ok(counts.valid > 0 && counts.refused > 0);
    },
  );

  it('that becomes a tarball again is read by GNU tar and by Python', { timeout: 7_200_000 }, async () => {
    const input = join(lab.folder, 'work', 'in');
    const output = join(lab.folder, 'work', 'again.nix.tar');
    await fc.assert(
      fc.asyncProperty(fc.nat(), anyChanges, async (which, changes) => {
        const fields = changes.map((change) => ({ ...change, kind: 'field' as const }));
        writeFileSync(input, mutated(tars[which % tars.length] ?? Buffer.alloc(0), fields));
        rmSync(output, { force: true });
        try {
          await exportTarball({ input, output, env: {} });
        } catch (error) {
          assert.ok(error instanceof OciPloneError && error.exitCode === 3, String(error));
          return;
        }
        execFileSync('tar', ['--list', '--file', output], { stdio: 'pipe' });
        execFileSync('python3', ['-c', 'import sys, tarfile; [None for _ in tarfile.open(sys.argv[1])]', output]);
      }),
      { seed: SEED, numRuns: times(30) },
    );
  });
});

function formed(tar: Buffer, form: string, change: (bytes: Buffer) => Buffer): Buffer {
  switch (form) {
    case 'tar':
      return change(tar);
    case 'gzip':
    case 'verbatim':
      return gzipSync(change(tar));
    case 'zstd':
      return zstd(change(tar));
    default: {
      const compress = form.startsWith('zstd') ? zstd : gzipSync;
      return change(Buffer.concat([compress(tar.subarray(0, 5000)), compress(tar.subarray(5000))]));
    }
  }
}

/** Writes a value into a field of one of the headers, and puts the header's sum right. */
function editHeader(bytes: Buffer, which: number, value: number): void {
  const headers = [...headersOf(bytes)].slice(0, 200);
  const block = headers[which % Math.max(headers.length, 1)]?.block;
  const [at, length] = FIELDS[value % FIELDS.length] ?? [0, 100];
  if (block === undefined || block.length < BLOCK) return;
  block.fill(0, at, at + length);
  Buffer.from(VALUES[(value >> 4) % VALUES.length] ?? '', 'latin1').copy(block, at, 0, length);
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

/** Archives of an environment as GNU tar and Python write them, in each of their formats. */
function realTars(folder: string): readonly Buffer[] {
  const source = join(folder, 'source');
  const app = join(source, APP_PATH);
  mkdirSync(join(app, 'bin'), { recursive: true });
  mkdirSync(join(app, 'lib', 'n'.repeat(120)), { recursive: true });
  mkdirSync(join(source, 'tmp'));
  writeFileSync(join(app, 'bin', 'python'), elfHead(62), { mode: 0o755 });
  writeFileSync(join(app, 'lib', 'n'.repeat(120), 'ä.py'), 'print()\n');
  writeFileSync(join(app, 'lib', 'data'), Buffer.alloc(3000, 'data'));
  symlinkSync('../lib/data', join(app, 'bin', 'data'));
  execFileSync('ln', [join(app, 'lib', 'data'), join(app, 'lib', 'again')]);
  symlinkSync(APP_PATH, join(source, 'app'));
  const made = join(folder, 'made.tar');
  const gnu = ['gnu', 'pax', 'ustar', 'oldgnu'].flatMap((format) => {
    const names = format === 'ustar' ? ['--exclude=nnn*'] : [];
    execFileSync('tar', ['-cf', made, `--format=${format}`, ...names, '-C', source, 'nix', 'app', 'tmp']);
    return [readFileSync(made)];
  });
  const python = ['PAX_FORMAT', 'GNU_FORMAT'].map((format) => {
    const script = `import sys, tarfile
with tarfile.open(sys.argv[2], 'w', format=tarfile.${format}) as tar:
    for name in ['nix', 'app', 'tmp']: tar.add(sys.argv[1] + '/' + name, name)`;
    execFileSync('python3', ['-c', script, source, made]);
    return readFileSync(made);
  });
  rmSync(made);
  return [...gnu, ...python];
}
