import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BlobWriter } from '../../src/layer/blob.ts';
import { type Encoder, PLAIN, withEncoder } from '../../src/layer/encoder.ts';
import { writeBlob } from '../../src/layer/pack-layer.ts';
import { CHUNK_BYTES, type FileNode, file, folder, symlink } from '../../src/layer/tree.ts';

/** More than a writer has ever under way; a tar of any size would pass it if nothing held it back. */
const BOUND = 12;

/** An encoder that counts how many blocks it has at once, and takes its time. */
function counting(): { readonly encoder: Encoder; readonly most: () => number } {
  let [now, most] = [0, 0];
  return {
    most: () => most,
    encoder: {
      ...PLAIN,
      blocks: 4,
      async encode(block) {
        most = Math.max(most, ++now);
        for (let turn = 0; turn < 3; turn++) await nextTurn();
        const copy = Uint8Array.from(block);
        now -= 1;
        return copy;
      },
    },
  };
}

/** A file of zeros that is never in memory as a whole. */
function zeros(size: number): FileNode {
  const chunk = new Uint8Array(CHUNK_BYTES);
  return {
    kind: 'file',
    mode: 0o644,
    size,
    *read() {
      for (let done = 0; done < size; done += CHUNK_BYTES) yield chunk.subarray(0, Math.min(CHUNK_BYTES, size - done));
    },
  };
}

const ignore = (): Promise<void> => Promise.resolve();

describe('a blob in the making', () => {
  it('has few blocks under way, however large a file is', async () => {
    const { encoder, most } = counting();
    await writeBlob(folder([['large', zeros(60 * CHUNK_BYTES)]]), { encoder, sink: ignore });
    assert.ok(most() > 1, `${most()} blocks at once`);
    assert.ok(most() <= BOUND, `${most()} blocks at once`);
  });

  it('is the same whether its bytes are put into its room or copied', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.boolean(), fc.nat(900))), async (pieces) => {
        const encoder: Encoder = { ...PLAIN, blockBytes: 512, blocks: 2, encode: (block) => Uint8Array.from(block) };
        const written: Uint8Array[] = [];
        const blob = new BlobWriter(encoder, async (piece) => void written.push(Uint8Array.from(piece)));
        const expected: Uint8Array[] = [];
        for (const [index, [inRoom, size]] of pieces.entries()) {
          const room = inRoom ? blob.room() : Buffer.alloc(size);
          const piece = room.subarray(0, Math.min(size, room.length)).fill(index + 1);
          expected.push(Uint8Array.from(piece));
          blob.write(piece);
          await blob.ready();
        }
        await blob.finish();
        assert.deepEqual(Buffer.concat(written), Buffer.concat(expected));
      }),
    );
  });

  it('has few blocks under way where there are only headers', async () => {
    const { encoder, most } = counting();
    const links = Array.from({ length: 100_000 }, (_, number) => [`link-${number}`, symlink('x')] as const);
    await writeBlob(folder(links), { encoder, sink: ignore });
    assert.ok(most() <= BOUND, `${most()} blocks at once`);
  });

  it('has few blocks under way where the sink is slow', async () => {
    const { encoder, most } = counting();
    const slow = async (): Promise<void> => {
      for (let turn = 0; turn < 5; turn++) await nextTurn();
    };
    await writeBlob(folder([['large', zeros(40 * CHUNK_BYTES)]]), { encoder, sink: slow });
    assert.ok(most() <= BOUND, `${most()} blocks at once`);
  });

  it('is written in order, whichever block is ready first', async () => {
    let turns = 0;
    const uneven: Encoder = {
      ...PLAIN,
      blocks: 3,
      blockBytes: 4,
      async encode(block) {
        const copy = Uint8Array.from(block);
        for (let turn = (turns = (turns + 5) % 7); turn > 0; turn--) await nextTurn();
        return copy;
      },
    };
    const written: Uint8Array[] = [];
    const blob = new BlobWriter(uneven, (piece) => {
      written.push(Uint8Array.from(piece));
      return Promise.resolve();
    });
    const text = Buffer.from('blocks of four bytes, in the order they came');
    blob.write(text);
    const { size } = await blob.finish();
    assert.equal(Buffer.concat(written).toString(), text.toString());
    assert.equal(size, text.length);
  });

  it('keeps what it was given, though the giver writes over it', async () => {
    const written: Uint8Array[] = [];
    const blob = new BlobWriter(PLAIN, (piece) => {
      written.push(Uint8Array.from(piece));
      return Promise.resolve();
    });
    const piece = Buffer.from('first');
    blob.write(piece);
    piece.write('other');
    await blob.finish();
    assert.equal(Buffer.concat(written).toString(), 'first');
  });

  it('may be empty', async () => {
    const blob = new BlobWriter(PLAIN, () => assert.fail('nothing to write'));
    const { size, digest, diffId } = await blob.finish();
    assert.deepEqual([size, digest], [0, diffId]);
  });

  it('fails where its sink fails, early or late, and stops', async () => {
    for (const failing of [1, 3, 20]) {
      let [calls, reads] = [0, 0];
      const full = (): Promise<void> =>
        ++calls >= failing ? Promise.reject(new RangeError('disk full')) : Promise.resolve();
      const counted: FileNode = {
        ...zeros(200 * CHUNK_BYTES),
        *read() {
          for (const piece of zeros(200 * CHUNK_BYTES).read()) {
            reads += 1;
            yield piece;
          }
        },
      };
      await assert.rejects(writeBlob(folder([['large', counted]]), { encoder: PLAIN, sink: full }), RangeError);
      assert.ok(reads < 200, `${reads} reads`);
    }
  });

  it('fails where a small one has no room, or its encoder fails', async () => {
    const tree = folder([['small', file(Buffer.from('x'))]]);
    const full = (): Promise<void> => Promise.reject(new RangeError('disk full'));
    await assert.rejects(writeBlob(tree, { encoder: PLAIN, sink: full }), RangeError);
    const broken: Encoder = {
      ...PLAIN,
      encode: () => {
        throw new RangeError('no encoder');
      },
    };
    await assert.rejects(writeBlob(tree, { encoder: broken, sink: ignore }), RangeError);
  });

  it('ends its threads, whether it is done or failed', async () => {
    const failing = withEncoder('gzip', 'libdeflate', (encoder) =>
      writeBlob(folder([['large', zeros(20 * CHUNK_BYTES)]]), {
        encoder,
        sink: () => Promise.reject(new RangeError('full')),
      }),
    );
    await assert.rejects(failing, RangeError);
    assert.deepEqual(
      process.getActiveResourcesInfo().filter((name) => name === 'MessagePort'),
      [],
    );
  });
});
