import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { archiveFormat } from '../../src/layer/archive-format.ts';
import { linesOf, linesOfStream, noZstd, saved, zstd } from '../support/archives.ts';
import { badInput } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { archive, file } from '../support/tars.ts';

/** Text that does not compress away, over several blocks of 128 KiB. */
const TEXT = Array.from({ length: 60_000 }, (_, index) => ((index * 2_654_435_761) >>> 0).toString(36)).join(' ');
const TAR = archive(file('a', TEXT), file('zeros', '\0'.repeat(500_000)), file('b', 'x'));
const LINES = [`a 644 ${TEXT}`, 'b 644 x', `zeros 644 ${'\0'.repeat(500_000)}`];

/** A frame that decoders pass over (RFC 8878 section 3.1.2). */
function skippable(content: Uint8Array, number = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50 + number);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

/** Frames of a tar cut at these places; two of the same are a frame of nothing. */
function frames(...cuts: readonly number[]): Buffer[] {
  return [0, ...cuts].map((from, index) => zstd(TAR.subarray(from, cuts[index] ?? TAR.length)));
}

describe('zstd in several frames', { skip: noZstd }, () => {
  const GOOD: Readonly<Record<string, () => readonly Uint8Array[]>> = {
    'two frames': () => frames(700),
    'many frames': () => frames(1, 511, 512, 513, 200_000, 600_000),
    'an empty frame first': () => frames(0),
    'an empty frame between': () => frames(700, 700),
    'an empty frame last': () => frames(TAR.length),
    'a frame to pass over first': () => [skippable(Buffer.from('index')), ...frames(700)],
    'frames to pass over everywhere, one of nothing': () => [
      ...frames(700).flatMap((frame) => [skippable(Buffer.alloc(300_000, 1), 15), frame]),
      skippable(Buffer.alloc(0)),
    ],
  };
  for (const [what, parts] of Object.entries(GOOD))
    it(`is read: ${what}`, async (t) => {
      const bytes = Buffer.concat(parts());
      assert.equal(archiveFormat(bytes), 'zstd');
      assert.deepEqual(await linesOf(t, bytes), LINES);
      assert.deepEqual(await linesOfStream(t, bytes, 1000), LINES, 'from a stream');
      assert.deepEqual(await linesOfStream(t, bytes.subarray(0), 13), LINES, 'in little pieces');
    });

  const BROKEN: Readonly<Record<string, () => readonly Uint8Array[]>> = {
    'the second frame is cut off in its magic': () => cut(3),
    'the second frame is cut off in its header': () => cut(6),
    'the second frame is cut off in a block': () => cut(5000),
    'the last byte is missing': () => [Buffer.concat(frames(700)).subarray(0, -1)],
    'a frame to pass over is cut off': () => [...frames(700), skippable(Buffer.alloc(100)).subarray(0, 50)],
    'a frame to pass over is nothing but a magic': () => [...frames(700), skippable(Buffer.alloc(0)).subarray(0, 4)],
    'the second frame is missing': () => frames(700).slice(0, 1),
    'garbage stands between': () => [frames(700)[0] ?? TAR, Buffer.from('garb'), frames(700)[1] ?? TAR],
    'zeros stand between': () => [frames(700)[0] ?? TAR, Buffer.alloc(4), frames(700)[1] ?? TAR],
    'a gzip follows': () => [...frames(700), Buffer.from([0x1f, 0x8b, 8, 0])],
    'there is nothing but a frame to pass over': () => [skippable(Buffer.from('index'))],
    'it is of no known version': () => [...frames(700), Buffer.from([0x27, 0xb5, 0x2f, 0xfd, 0])],
  };
  for (const [what, parts] of Object.entries(BROKEN))
    it(`is broken: ${what}`, { timeout: 20_000 }, async (t) => {
      const bytes = Buffer.concat(parts());
      await assert.rejects(linesOf(t, bytes), badInput);
      await assert.rejects(linesOfStream(t, bytes, 100), badInput, 'from a stream');
    });

  it('is broken where any byte is another, or it is the same tar', { timeout: 60_000 }, async (t) => {
    const bytes = Buffer.concat(frames(700));
    for (let at = 0; at < bytes.length; at += 1 + (bytes.length >> 6)) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      // Without a sum in the frame, another byte may be another text.
      await linesOf(t, damaged).then((lines) => assert.equal(lines.length, LINES.length), badInput);
    }
  });

  it('has a sum that is checked', { skip: missing('zstd') }, async (t) => {
    const whole = execFileSync('zstd', ['-q', '--check', '-c', saved(t, TAR)], { maxBuffer: 2 ** 26 });
    assert.deepEqual(await linesOf(t, Buffer.concat([skippable(Buffer.from('x')), whole])), LINES);
    whole[whole.length - 2] = (whole.at(-2) ?? 0) ^ 1;
    await assert.rejects(linesOf(t, whole), badInput);
  });

  for (const [program, flags] of [
    ['zstd', ['-q', '-T2', '-19', '--long=27']],
    ['zstd', ['-q', '--fast=5', '--no-check', '--no-content-size']],
    ['pzstd', ['-q', '-p', '4']],
  ] as const)
    it(`comes from ${program} ${flags.join(' ')}, once and twice`, { skip: missing(program) }, async (t) => {
      const place = scratch(t);
      const halves = [TAR.subarray(0, 300_000), TAR.subarray(300_000)].map((half, index) => {
        const path = saved(t, half, `half-${index}`);
        execFileSync(program, [...flags, path, '-o', join(place, `half-${index}`)]);
        return readFileSync(join(place, `half-${index}`));
      });
      execFileSync(program, [...flags, saved(t, TAR), '-o', join(place, 'whole')]);
      assert.deepEqual(await linesOf(t, readFileSync(join(place, 'whole'))), LINES);
      assert.deepEqual(await linesOf(t, Buffer.concat(halves)), LINES);
    });

  function cut(length: number): readonly Uint8Array[] {
    const [first = TAR, second = TAR] = frames(700);
    return [first, second.subarray(0, length)];
  }
});
