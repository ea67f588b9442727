import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type FolderNode, type Node, byBytes, file, folder, symlink } from '../../src/layer/tree.ts';
import { linesOf, saved, withArchive } from '../support/archives.ts';
import { SEED, times } from '../support/chance.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { seenByPython } from '../support/tar-readers.ts';
import {
  archive,
  entry,
  file as fileEntry,
  folder as folderEntry,
  gnuLong,
  hardLink,
  pax,
  symlink as linkEntry,
} from '../support/tars.ts';
import { content, lines, tarOf } from '../support/trees.ts';

/** Names as file systems have them: of any length and any characters but `/` and zero; no whiteouts. */
const anyName = fc
  .oneof(
    {
      weight: 5,
      arbitrary: fc.string({
        unit: fc.constantFrom(...Array.from('ab.-_ä𝄞\ue000\n\\*" ')),
        minLength: 1,
        maxLength: 12,
      }),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 95, max: 255 }).map((length) => 'n'.repeat(length)) },
  )
  // Half a surrogate pair is no UTF-8.
  .map((name) =>
    Buffer.from(name)
      .toString()
      .replace(/[/\0\ufffd]/g, '_'),
  )
  .filter((name) => name !== '.' && name !== '..' && !name.startsWith('.wh.') && Buffer.byteLength(name) <= 255);

const anyFile: fc.Arbitrary<Node> = fc
  .record({
    size: fc.oneof(fc.nat({ max: 1200 }), fc.constantFrom(0, 511, 512, 513, 1024 ** 2, 1024 ** 2 + 1)),
    byte: fc.integer({ min: 0, max: 255 }),
    mode: fc.nat({ max: 0o7777 }),
  })
  .map(({ size, byte, mode }) => file(Buffer.alloc(size, byte), mode | 0o400));

const anyTarget = fc
  .string({ unit: fc.constantFrom('a', '.', '/', 'ß', ' ', 'x'.repeat(60)), minLength: 1, maxLength: 40 })
  .filter((target) => Buffer.byteLength(target) < 1024);

const { tree: anyTree } = fc.letrec<{ tree: FolderNode; node: Node }>((tie) => ({
  tree: fc
    .record({
      nodes: fc.dictionary(anyName, tie('node'), { maxKeys: 6 }),
      mode: fc.nat({ max: 0o7777 }),
    })
    .map(({ nodes, mode }) => folder(Object.entries(nodes), mode | 0o700)),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: anyFile },
    { weight: 2, arbitrary: anyTarget.map((target): Node => symlink(target)) },
    { weight: 3, arbitrary: tie('tree') },
  ),
}));

interface Seen {
  readonly path: string;
  readonly what: string;
}

/** A tree as a list, in the order of bytes, that two readers can be compared by. */
function seen(root: FolderNode, prefix = ''): Seen[] {
  return [...root.list()].flatMap(([name, node]) => {
    const path = `${prefix}${name}`;
    if (node.kind === 'folder') return [{ path, what: `folder ${node.mode}` }, ...seen(node, `${path}/`)];
    if (node.kind === 'symlink') return [{ path, what: `link ${node.target}` }];
    return [{ path, what: `file ${node.mode} ${content(node).toString('base64')}` }];
  });
}

/** What GNU tar makes of an archive, on disk. */
function extracted(t: TestContext, tar: Uint8Array): Seen[] {
  const place = join(scratch(t), 'out');
  mkdirSync(place);
  execFileSync('tar', ['--extract', '--preserve-permissions', '--no-same-owner', '--file=-', '-C', place], {
    input: tar,
  });
  const list = (folderPath: string, prefix: string): Seen[] =>
    readdirSync(folderPath)
      .sort(byBytes)
      .flatMap((name) => {
        const [path, disk] = [`${prefix}${name}`, join(folderPath, name)];
        const stats = lstatSync(disk);
        const mode = stats.mode & 0o7777;
        if (stats.isDirectory()) return [{ path, what: `folder ${mode}` }, ...list(disk, `${path}/`)];
        if (stats.isSymbolicLink()) return [{ path, what: `link ${readlinkSync(disk)}` }];
        return [{ path, what: `file ${mode} ${readFileSync(disk).toString('base64')}` }];
      });
  return list(place, '');
}

const options = (runs: number): fc.Parameters<unknown> => ({ seed: SEED, numRuns: times(runs), endOnFailure: false });

describe('what goes in comes out', () => {
  it('by our own reader', { timeout: 3_600_000 }, async (t) => {
    t.diagnostic(`OCI_PLONE_SEED=${SEED}`);
    await fc.assert(
      fc.asyncProperty(anyTree, async (tree) => {
        const tar = await tarOf(tree);
        for (const form of [tar, gzipSync(tar)])
          await withArchive(t, saved(t, form), {}, (read) => assert.deepEqual(seen(read.tree), seen(tree)));
      }),
      options(60),
    );
  });

  it('by GNU tar, which writes it to disk', { skip: missing('tar'), timeout: 3_600_000 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(anyTree, async (tree) => assert.deepEqual(extracted(t, await tarOf(tree)), seen(tree))),
      options(25),
    );
  });

  it("by Python's tarfile", { skip: missing('python3'), timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyTree, async (tree) => {
        const python = seenByPython(await tarOf(tree));
        assert.deepEqual(
          python.map(({ name, type, mode, size, target }) => [name, type, type === 'link' ? target : mode, size]),
          flat(tree).map(([path, node]) => {
            if (node.kind === 'folder') return [path, 'folder', node.mode, 0];
            return node.kind === 'symlink' ? [path, 'link', node.target, 0] : [path, 'file', node.mode, node.size];
          }),
        );
      }),
      options(25),
    );
  });
});

function flat(root: FolderNode, prefix = ''): [string, Node][] {
  return [...root.list()].flatMap(([name, node]): [string, Node][] => [
    [`${prefix}${name}`, node],
    ...(node.kind === 'folder' ? flat(node, `${prefix}${name}/`) : []),
  ]);
}

/** Entries as tools write them, in any order: folders d…, files f…, links l…, hard links to files that were there before. */
const anyEntries = fc.array(
  fc.record({
    kind: fc.constantFrom('file', 'file', 'folder', 'link', 'hard link'),
    folders: fc.array(fc.nat({ max: 2 }), { maxLength: 3 }),
    name: fc.nat({ max: 4 }),
    size: fc.nat({ max: 1500 }),
    mode: fc.nat({ max: 0o777 }),
    prefix: fc.constantFrom('', './', './/'),
    long: fc.constantFrom('no', 'pax', 'gnu'),
    of: fc.nat(),
  }),
  { minLength: 1, maxLength: 25 },
);

describe('an archive of any order', () => {
  it(
    'with names twice and hard links is to us what GNU tar makes of it',
    { skip: missing('tar'), timeout: 3_600_000 },
    async (t) => {
      t.diagnostic(`OCI_PLONE_SEED=${SEED}`);
      await fc.assert(
        fc.asyncProperty(anyEntries, async (entries) => {
          const files: string[] = [];
          const parts = entries.flatMap(({ kind, folders, name, size, mode, prefix, long, of }, number) => {
            const place = folders.map((one) => `d${one}/`).join('');
            const path = `${prefix}${place}${kind === 'folder' ? 'd' : kind === 'link' ? 'l' : 'f'}${name}`;
            const extension = { no: [], pax: [pax({ path })], gnu: [gnuLong(path)] }[long];
            const short = long === 'no' ? path : 'short';
            if (kind === 'folder') return [...extension, folderEntry(short, mode | 0o700)];
            if (kind === 'link') return [...extension, linkEntry(short, `target-${number}`)];
            const target = files[of % Math.max(files.length, 1)];
            const own = path.replace(/^[./]+/, '');
            if (kind === 'hard link' && target !== undefined && target !== own) {
              files.push(own);
              return [...extension, hardLink(short, target)];
            }
            files.push(own);
            return [...extension, fileEntry(short, `${number} `.repeat(size), mode | 0o400)];
          });
          const tar = archive(...parts);
          // GNU tar gives folders that no entry made the umask's mode; modes are compared where entries made them.
          const withoutModes = (all: readonly Seen[]): Seen[] =>
            all.map(({ path, what }) => ({ path, what: what.replace(/^folder \d+$/, 'folder') }));
          await withArchive(t, saved(t, tar), {}, (read) =>
            assert.deepEqual(withoutModes(seen(read.tree)), withoutModes(extracted(t, tar))),
          );
        }),
        options(40),
      );
    },
  );

  it('is the same in pieces of any size, and compressed', { timeout: 3_600_000 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(anyTree, fc.integer({ min: 1, max: 2000 }), async (tree, cut) => {
        const tar = await tarOf(tree);
        const members = Buffer.concat([gzipSync(tar.subarray(0, cut)), gzipSync(tar.subarray(cut))]);
        assert.deepEqual(await linesOf(t, members), lines(tree));
      }),
      options(20),
    );
  });

  it('made by Python, in each of its formats', { skip: missing('python3'), timeout: 3_600_000 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(anyTree, fc.constantFrom('PAX_FORMAT', 'GNU_FORMAT'), async (tree, format) => {
        const source = saved(t, await tarOf(tree));
        const made = join(scratch(t), 'made.tar');
        execFileSync('python3', ['-c', REWRITE, source, made, format]);
        await withArchive(t, made, {}, (read) => assert.deepEqual(seen(read.tree), seen(tree)));
      }),
      options(15),
    );
  });

  it('with an entry whose size is any number is no more than its bytes', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 4000 }), fc.nat({ max: 4000 }), async (size, real) => {
        const tar = archive(entry({ name: 'a', content: Buffer.alloc(real, 'x'), size }), fileEntry('b', 'the end'));
        const blocks = (bytes: number): number => Math.ceil(bytes / 512);
        const reading = linesOf(t, tar);
        if (blocks(size) === blocks(real)) assert.equal((await reading).length, 2);
        // The second entry is two blocks: then it is content of the first, with one of the two blocks of the end, perhaps.
        else if ([2, 3].includes(blocks(size) - blocks(real))) assert.equal((await reading).length, 1);
        else await assert.rejects(reading);
      }),
      options(60),
    );
  });
});

/** Reads a tar and writes it again, as Python's tarfile does either. */
const REWRITE = `
import sys, tarfile
source, made, form = sys.argv[1:]
with tarfile.open(source) as old, tarfile.open(made, 'w', format=getattr(tarfile, form)) as new:
    for info in old:
        info.pax_headers = {}
        info.uid = 4000000
        info.mtime = 1600000000.25
        new.addfile(info, old.extractfile(info) if info.isreg() else None)
`;
