import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { OciPloneError } from '../../src/errors.ts';
import { pack } from '../../src/index.ts';
import { DEFAULT_LIMITS } from '../../src/layer/archive-limits.ts';
import { withEncoder } from '../../src/layer/encoder.ts';
import { readArchive } from '../../src/layer/read-archive.ts';
import { StoreLayer } from '../../src/layer/store-layer.ts';
import { SEED, times } from '../support/chance.ts';
import { noZstd, zstd } from '../support/archives.ts';
import { ELF_MACHINE, elfHead } from '../support/packed.ts';
import { scratch } from '../support/scratch.ts';
import { archive, entry, file, folder, hardLink, symlink } from '../support/tars.ts';

const ONE = `nix/store/${'1'.repeat(32)}-one`;
const TWO = `nix/store/${'2'.repeat(32)}-two`;
const PROGRAM = entry({ name: `${ONE}/bin/python`, content: elfHead(ELF_MACHINE.arm64), mode: 0o755 });

const STORE = [folder('nix/'), folder('nix/store/')];
const PATH_ONE = [folder(`${ONE}/`), file(`${ONE}/a`, 'first'), folder(`${ONE}/bin/`), PROGRAM, file(`${ONE}/empty`)];
const PATH_TWO = [folder(`${TWO}/`), symlink(`${TWO}/link`, 'big'), file(`${TWO}/zeros`, '\0'.repeat(3_000_000))];
const BESIDE = [symlink('app', `/${ONE}`), folder('etc/'), file('etc/motd', 'beside the store')];
const ALL = [...BESIDE, ...STORE, ...PATH_ONE, ...PATH_TWO];

/** Whether the layer of the store is written while the archive is read. */
const SHAPES: readonly (readonly [what: string, parts: readonly Buffer[], isStreamed: boolean])[] = [
  ['in the order of a layer', ALL, true],
  ['with its store first', [...STORE, ...PATH_ONE, ...PATH_TWO, ...BESIDE], true],
  ['with a store path that is a file', [...STORE, file(ONE, 'x'), ...BESIDE], true],
  ['with more in its /nix', [...ALL, folder('nix/var/'), file('nix/var/db', 'more')], true],
  ['with what is no store path in its store', [...STORE, file('nix/store/.links', 'x'), ...PATH_ONE, ...BESIDE], true],
  ['with a file beside the store twice', [...ALL, file('etc/motd', 'the last one counts')], true],
  ['with its paths in another order', [...STORE, ...PATH_TWO, ...PATH_ONE, ...BESIDE], false],
  ['with its files in another order', [...STORE, ...PATH_ONE.toReversed(), ...BESIDE], false],
  ['that makes no folders', [file(`${ONE}/a`, 'first'), PROGRAM, ...BESIDE], false],
  ['with a folder of the store last', [...STORE, ...PATH_ONE, folder('nix/', 0o700), ...BESIDE], false],
  ['with a file of the store twice', [...ALL, file(`${ONE}/a`, 'the last one counts')], false],
  ['with a path of the store that is replaced', [...ALL, file(TWO, 'now a file')], false],
  ['with a store that is gone in the end', [...ALL, symlink('nix', 'elsewhere'), folder('app/')], false],
  ['with a hard link out of the store', [...ALL, hardLink('etc/again', `${ONE}/a`)], false],
  ['with a hard link in the store', [...STORE, ...PATH_ONE, hardLink(`${ONE}/f`, `${ONE}/a`), ...BESIDE], false],
  ['without a store', BESIDE.slice(1), false],
];

describe('a compressed tarball gives the image of the tar in it', () => {
  for (const [what, parts, isStreamed] of SHAPES) {
    it(what, async (t) => {
      const tar = archive(...parts);
      const expected = await packed(t, 'a.tar', tar);
      assert.equal(await packed(t, 'a.tar.gz', gzipSync(tar)), expected);
      assert.equal(await isTaken(t, gzipSync(tar)), isStreamed);
    });
  }

  it('of zstd, too', { skip: noZstd }, async (t) => {
    const tar = archive(...ALL);
    assert.equal(await packed(t, 'a.tar.zst', zstd(tar)), await packed(t, 'a.tar', tar));
    assert.ok(await isTaken(t, zstd(tar)));
  });

  it('where a volume is in the store', async (t) => {
    const options = { volumes: [`/${ONE}/data`] };
    const expected = await packed(t, 'a.tar', archive(...ALL), options);
    assert.equal(await packed(t, 'a.tar.gz', gzipSync(archive(...ALL)), options), expected);
    assert.notEqual(expected, await packed(t, 'a.tar', archive(...ALL)));
  });

  it('whatever is in it, in whatever order, or is refused as that is', async (t) => {
    t.diagnostic(`seed ${SEED}`);
    const name = fc.constantFrom(
      'app',
      'nix',
      'nix/store',
      'nix/var',
      ONE,
      TWO,
      `${ONE}/a`,
      `${ONE}/b`,
      `${ONE}/b/c`,
      `${TWO}/a`,
    );
    const part = fc.oneof(
      { weight: 4, arbitrary: fc.tuple(name, fc.string({ maxLength: 3 })).map(([path, text]) => file(path, text)) },
      { weight: 4, arbitrary: name.map((path) => folder(`${path}/`)) },
      { weight: 1, arbitrary: name.map((path) => symlink(path, 'a')) },
      { weight: 1, arbitrary: fc.tuple(name, name).map(([path, target]) => hardLink(path, target)) },
    );
    const some = fc.tuple(fc.constantFrom([], STORE, ALL), fc.array(part, { maxLength: 8 })).map((both) => both.flat());
    await fc.assert(
      fc.asyncProperty(some, async (parts) => {
        const tar = archive(...parts);
        assert.equal(await packed(t, 'a.tar.gz', gzipSync(tar)), await packed(t, 'a.tar', tar));
      }),
      { seed: SEED, numRuns: times(60) },
    );
  });
});

/** The image's digest, or the code of what was wrong. */
async function packed(
  t: TestContext,
  name: string,
  content: Uint8Array,
  options: { readonly volumes?: readonly string[] } = {},
): Promise<string> {
  const at = scratch(t);
  writeFileSync(join(at, name), content);
  try {
    return (await pack({ input: join(at, name), output: join(at, 'out'), encoder: 'zlib', ...options })).digest;
  } catch (error) {
    if (error instanceof OciPloneError) return error.code;
    throw error;
  }
}

/** Whether a layer of the store can be written while the archive is read; then the contents of the store are not kept. */
async function isTaken(t: TestContext, content: Uint8Array): Promise<boolean> {
  const [path, spoolFolder] = [join(scratch(t), 'archive'), scratch(t)];
  writeFileSync(path, content);
  return withEncoder('gzip', 'zlib', async (encoder) => {
    const layer = new StoreLayer(encoder, () => Promise.resolve());
    const read = await readArchive(path, { limits: DEFAULT_LIMITS, spoolFolder, layer });
    read.close();
    return read.isStreamed;
  });
}
