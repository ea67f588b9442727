import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compiled, startChild } from '../support/child.ts';
import { scratch } from '../support/scratch.ts';

/** The promise is 150 MiB on Node 20; later ones leave more garbage uncollected (fflate's up to 300 MiB), and are only held to be bounded. */
const MAX_KIBIBYTES = (process.versions.node.startsWith('20.') ? 150 : 384) * 1024;

const PACK = `
  import { packLayer } from ${compiled('../../src/layer/pack-layer.ts')};
  import { withEncoder } from ${compiled('../../src/layer/encoder.ts')};
  import { DEFAULT_LIMITS } from ${compiled('../../src/layer/archive-limits.ts')};
  import { readArchive } from ${compiled('../../src/layer/read-archive.ts')};
  import { CHUNK_BYTES, folder, symlink } from ${compiled('../../src/layer/tree.ts')};
  import { END, entry, file } from ${compiled('../support/tars.ts')};
  import { Readable } from 'node:stream';

  const MEBIBYTE = 1024 * 1024;

  // Half of it text that compresses, half of it none that does.
  const content = Buffer.alloc(MEBIBYTE, 'a line of text that is repeated\\n');
  for (let at = 0, state = 1; at < MEBIBYTE / 2; at++) content[at] = (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;

  async function pack(tree, name, storePaths) {
    const plan = { tree, storePaths, comment: '' };
    let size = 0;
    const sink = async (piece) => { size += piece.length; };
    await withEncoder('gzip', name, (encoder) => packLayer(plan, { encoder, known: new Map(), sink }));
    return size;
  }

  function report(size) {
    console.log(JSON.stringify({ size, maxRss: process.resourceUsage().maxRSS }));
  }
`;

async function run(code: string): Promise<{ readonly size: number; readonly maxRss: number }> {
  const child = startChild(PACK + code);
  const line = await child.line;
  await child.done;
  return JSON.parse(line);
}

describe('packing takes little memory', () => {
  for (const name of ['libdeflate', 'fflate'])
    it(`for 200 MB of files and 50,000 links, by ${name}`, async (t) => {
      const { size, maxRss } = await run(`
      const large = { kind: 'file', mode: 0o644, size: 10 * MEBIBYTE, *read() { for (let n = 0; n < 10; n++) yield content; } };
      const files = Array.from({ length: 20 }, (_, n) => ['file-' + n, large]);
      const links = Array.from({ length: 50_000 }, (_, n) => ['link-' + n, symlink('file-' + n)]);
      report(await pack(folder([['files', folder(files)], ['links', folder(links)]]), '${name}', ['/files']));
    `);
      t.diagnostic(`${Math.round(maxRss / 1024)} MiB`);
      assert.ok(size > 100_000_000, `${size} bytes`);
      assert.ok(maxRss < MAX_KIBIBYTES, `${maxRss} KiB`);
    });

  it('for a stream of 300 MB with 100,000 entries', async (t) => {
    const { size, maxRss } = await run(`
      function* tar() {
        for (let n = 0; n < 100_000; n++) yield file('nix/store/path-' + (n % 500) + '/lib/file-' + n, 'content ' + n, 0o444);
        for (let n = 0; n < 200; n++) { yield entry({ name: 'nix/store/path-' + n + '/large', size: MEBIBYTE, mode: 0o444 }); yield content; }
        yield END;
      }
      // As a pipe gives them.
      function* pieces() {
        let parts = [];
        for (const part of tar()) {
          parts.push(part);
          if (part !== content && parts.length < 64) continue;
          yield Buffer.concat(parts.filter((one) => one !== content));
          for (let at = 0; part === content && at < MEBIBYTE; at += 65_536) yield content.subarray(at, at + 65_536);
          parts = [];
        }
        yield Buffer.concat(parts);
      }
      const options = { limits: DEFAULT_LIMITS, spoolFolder: ${JSON.stringify(scratch(t))} };
      const archive = await readArchive(Readable.from(pieces(), { objectMode: false }), options);
      const paths = Array.from({ length: 500 }, (_, n) => '/nix/store/path-' + n);
      report(await pack(archive.tree, 'zlib', paths));
      archive.close();
    `);
    t.diagnostic(`${Math.round(maxRss / 1024)} MiB`);
    assert.ok(size > 100_000_000, `${size} bytes`);
    assert.ok(maxRss < MAX_KIBIBYTES, `${maxRss} KiB`);
  });
});
