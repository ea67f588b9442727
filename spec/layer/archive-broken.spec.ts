import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { OciPloneError } from '../../src/errors.ts';
import { linesOf, linesOfStream, noZstd, zstd } from '../support/archives.ts';
import { SEED, times } from '../support/chance.ts';
import { badInput } from '../support/codes.ts';
import { END, archive, entry, file, folder, hardLink, pax, symlink } from '../support/tars.ts';

/** Text that does not compress away, so that a cut is a cut. */
const TEXT = Array.from({ length: 3000 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36)).join(' ');
const ENTRIES = Buffer.concat([folder('d'), file('d/a', TEXT), file('b', 'x')]);
const TAR = Buffer.concat([ENTRIES, END]);
const GZIP = gzipSync(TAR);

const CUT: Readonly<Record<string, Uint8Array>> = {
  'in the first header': TAR.subarray(0, 511),
  'after the first header': TAR.subarray(0, 512),
  'in a later header': TAR.subarray(0, 800),
  'after a header, before its content': TAR.subarray(0, 1024),
  'inside a file': TAR.subarray(0, 2000),
  'inside a file, at the end of a block': TAR.subarray(0, 2048),
  'inside the padding of a file': ENTRIES.subarray(0, ENTRIES.length - 1),
  'before its end, exactly': ENTRIES,
  'inside the first block of the end': TAR.subarray(0, ENTRIES.length + 511),
  'inside the second block of the end': TAR.subarray(0, TAR.length - 1),
  'after a pax header': Buffer.concat([ENTRIES, pax({ path: 'x' })]),
  'inside a pax header': Buffer.concat([ENTRIES, pax({ path: 'x' }).subarray(0, 700)]),
  'in the header of the gzip': GZIP.subarray(0, 5),
  'in the middle of the gzip': GZIP.subarray(0, GZIP.length >> 1),
  "before the gzip's sum": GZIP.subarray(0, GZIP.length - 8),
  "in the gzip's sum": GZIP.subarray(0, GZIP.length - 6),
  "in the gzip's length": GZIP.subarray(0, GZIP.length - 1),
  'in its second member': Buffer.concat([
    gzipSync(TAR.subarray(0, 1000)),
    gzipSync(TAR.subarray(1000)).subarray(0, -9),
  ]),
  'after its first member': gzipSync(TAR.subarray(0, 1024)),
};

const GARBAGE: Readonly<Record<string, Uint8Array>> = {
  'a text': Buffer.from('garbage'),
  'one byte': Buffer.from('x'),
  zeros: Buffer.alloc(512),
  'one zero': Buffer.alloc(1),
  'a text after a zero': Buffer.from('\0garbage'),
  'what looks like another member': Buffer.from([0x1f, 0x8b, 8, 0, 0, 0]),
  'half a magic': Buffer.from([0x1f]),
  much: Buffer.alloc(3_000_000, 'garbage'),
  'much after a zero': Buffer.concat([Buffer.alloc(3_000_000), Buffer.from('garbage')]),
};

describe('an archive that is cut off', () => {
  for (const [where, bytes] of Object.entries(CUT))
    it(where, async (t) => {
      await assert.rejects(linesOf(t, bytes), badInput);
      await assert.rejects(linesOfStream(t, bytes, 100), badInput, 'from a stream');
    });

  it('anywhere in a zstd frame', { skip: noZstd }, async (t) => {
    const whole = zstd(TAR);
    for (const length of [5, 20, whole.length >> 1, whole.length - 4, whole.length - 1])
      await assert.rejects(linesOf(t, whole.subarray(0, length)), badInput, `at ${length} of ${whole.length}`);
  });
});

describe('garbage', () => {
  for (const [what, garbage] of Object.entries(GARBAGE))
    it(`after a gzip: ${what}`, { timeout: 20_000 }, async (t) => {
      const bytes = Buffer.concat([GZIP, garbage]);
      await assert.rejects(linesOf(t, bytes), badInput);
      await assert.rejects(linesOfStream(t, bytes, GZIP.length), badInput, 'from a stream, in a piece of its own');
      await assert.rejects(linesOfStream(t, bytes, 1000), badInput, 'from a stream');
    });

  it('after a zstd frame', { skip: noZstd }, async (t) => {
    for (const garbage of [Buffer.from('garbage'), Buffer.alloc(512), Buffer.alloc(3_000_000, 'x')])
      await assert.rejects(linesOf(t, Buffer.concat([zstd(TAR), garbage])), badInput);
  });

  for (const [what, after] of Object.entries({
    'a block of text': Buffer.alloc(512, 'garbage'),
    'another archive': TAR,
    'an entry': file('hidden'),
    'a pax header': pax({ path: 'hidden' }),
    'one byte in many zeros': Buffer.concat([Buffer.alloc(20_000), Buffer.from('x'), Buffer.alloc(1023)]),
  }))
    it(`after the archive's end: ${what}`, async (t) => {
      await assert.rejects(linesOf(t, Buffer.concat([TAR, after])), badInput);
      await assert.rejects(linesOf(t, gzipSync(Buffer.concat([TAR, after]))), badInput, 'compressed');
    });
});

describe('damage', () => {
  it("in a gzip's sum, length, data or header", async (t) => {
    for (const at of [GZIP.length - 8, GZIP.length - 5, GZIP.length - 4, GZIP.length - 1, GZIP.length >> 1, 2]) {
      const bytes = Buffer.from(GZIP);
      bytes[at] = (bytes[at] ?? 0) ^ 0x40;
      await assert.rejects(linesOf(t, bytes), badInput, `at ${at}`);
    }
  });

  it('in any header of the tar', async (t) => {
    for (const at of [0, 100, 124, 148, 257, 345, 511])
      for (const header of [0, 512, ENTRIES.length - 1024]) {
        const bytes = Buffer.from(TAR);
        bytes[header + at] = (bytes[header + at] ?? 0) ^ 0x01;
        await assert.rejects(linesOf(t, bytes), badInput, `at ${header} + ${at}`);
      }
  });

  it('anywhere is an answer or an error with exit code 3, never anything else', { timeout: 3_600_000 }, async (t) => {
    const seed = SEED;
    t.diagnostic(`OCI_PLONE_SEED=${seed}`);
    const sample = archive(
      pax({ path: 'long/name' }),
      file('x', 'one'),
      symlink('l', 'x'),
      hardLink('h', 'long/name'),
      folder('d'),
      entry({ name: 'd/b', content: TEXT }),
    );
    const forms = [sample, gzipSync(sample), ...(noZstd === false ? [zstd(sample)] : [])];
    const change = fc.record({
      at: fc.nat(),
      byte: fc.nat({ max: 255 }),
      kind: fc.constantFrom('set', 'cut', 'insert', 'drop'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: forms.length - 1 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (form, changes) => {
          let bytes = Buffer.from(forms[form] ?? '');
          for (const { at, byte, kind } of changes) {
            const place = bytes.length === 0 ? 0 : at % bytes.length;
            const rest = { set: 1, cut: bytes.length, insert: 0, drop: 1 + byte }[kind];
            const added = kind === 'set' || kind === 'insert' ? [byte] : [];
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(added), bytes.subarray(place + rest)]);
          }
          try {
            await linesOf(t, bytes);
          } catch (error) {
            assert.ok(error instanceof OciPloneError && error.exitCode === 3, String(error));
          }
        },
      ),
      { numRuns: times(400), seed },
    );
  });
});
