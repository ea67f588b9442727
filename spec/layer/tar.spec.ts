import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { writeTar } from '../../src/layer/tar.ts';
import { CHUNK_BYTES, type FileNode, type FolderNode, type Node, file, folder, symlink } from '../../src/layer/tree.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { seenByGnuTar, seenByPython } from '../support/tar-readers.ts';
import { headersOf } from '../support/tars.ts';
import { tarOf, written } from '../support/trees.ts';

const LONG = 'n'.repeat(120);
const LONGEST = 'x'.repeat(255);
const DEEP = ['deep', LONG, LONG, LONG];
const TARGET = `../${'t'.repeat(200)}/./end//`;

/** A folder in folders, the outermost name first. */
function nested(names: readonly string[], inner: Node): readonly [string, Node] {
  const [name = '', ...rest] = names;
  return [name, rest.length === 0 ? inner : folder([nested(rest, inner)])];
}

const mebibytes = (count: number, more = 0): Buffer => Buffer.alloc(count * 1024 * 1024 + more, 'oci-plone ');

const SAMPLE: FolderNode = folder([
  [
    'usr',
    folder([
      ['a-b', file(Buffer.from('one'))],
      ['a', folder([['b', file(Buffer.from('two'), 0o755)]])],
    ]),
  ],
  ['empty', file(Buffer.alloc(0), 0o600)],
  ['empty-folder', folder([], 0o700)],
  ['tmp', folder([], 0o1777)],
  ['none', file(Buffer.from('no mode'), 0)],
  ['exactly', file(mebibytes(1), 0o444)],
  ['over', file(mebibytes(2, 1), 0o555)],
  ['block', file(Buffer.alloc(512, 'b'))],
  ['link', symlink('.././over//')],
  ['absolute', symlink('/nix/store')],
  ['far', symlink(TARGET)],
  ['fern', symlink('grüße/ß')],
  ['grün', folder([['straße', file(Buffer.from('ß'))]])],
  ['𝄞', file(Buffer.from('a clef'))],
  ['\ue000', file(Buffer.from('private'))],
  [LONGEST, folder([['x', file(Buffer.from('longest'))]])],
  nested(DEEP, file(Buffer.from('deep'))),
]);

/** Every path of a tree, folders with a slash, as the reference has it: parents first, by the bytes of each name. */
function paths(node: FolderNode, prefix = ''): string[] {
  return [...node.list()]
    .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .flatMap(([name, child]) =>
      child.kind === 'folder' ? [`${prefix}${name}/`, ...paths(child, `${prefix}${name}/`)] : [`${prefix}${name}`],
    );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The pax records of a tar, header by header. */
function paxRecords(tar: Buffer): string[][] {
  return [...headersOf(tar)]
    .filter(({ block }) => block[156] === 'x'.charCodeAt(0))
    .map(({ at, size }) =>
      Array.from(tar.toString('utf8', at + 512, at + 512 + size).matchAll(/^\d+ ([^=]+)=/gm), ([, key]) => key ?? ''),
    );
}

describe('a tar, read by GNU tar', { skip: missing('tar') }, () => {
  it('has parents first, each name once, folder by folder in the order of bytes, folders with a slash', async () => {
    const lines = seenByGnuTar(await tarOf(SAMPLE));
    const names = lines.map((line) =>
      line
        .split(' ')
        .slice(5)
        .join(' ')
        .replace(/ -> .*/, ''),
    );
    assert.deepEqual(names, paths(SAMPLE));
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.every((name) => !name.startsWith('./') && !name.startsWith('/')));
  });

  it('has owner 0:0 and time 1 throughout', async () => {
    for (const line of seenByGnuTar(await tarOf(SAMPLE))) assert.match(line, /^\S+ 0\/0 \d+ 1970-01-01 00:00:01 /);
  });

  it('has the modes that were given, also none at all', async () => {
    const modes = new Map(seenByGnuTar(await tarOf(SAMPLE)).map((line) => [line.split(' ')[5], line.split(' ')[0]]));
    const expected = {
      'usr/': 'drwxr-xr-x',
      'usr/a-b': '-rw-r--r--',
      'usr/a/b': '-rwxr-xr-x',
      'tmp/': 'drwxrwxrwt',
      'empty-folder/': 'drwx------',
      empty: '-rw-------',
      none: '----------',
      link: 'lrwxrwxrwx',
    };
    for (const [name, mode] of Object.entries(expected)) assert.equal(modes.get(name), mode, name);
  });
});

describe("a tar, read by Python's tarfile", { skip: missing('python3') }, () => {
  it('has every content, target and name that went in', async () => {
    const seen = new Map(seenByPython(await tarOf(SAMPLE)).map((entry) => [entry.name, entry]));
    const contents: readonly (readonly [string, Buffer])[] = [
      ['empty', Buffer.alloc(0)],
      ['exactly', mebibytes(1)],
      ['over', mebibytes(2, 1)],
      ['block', Buffer.alloc(512, 'b')],
      ['grün/straße', Buffer.from('ß')],
      ['𝄞', Buffer.from('a clef')],
      ['\ue000', Buffer.from('private')],
      [`${LONGEST}/x`, Buffer.from('longest')],
      [DEEP.join('/'), Buffer.from('deep')],
    ];
    for (const [name, content] of contents) {
      assert.equal(seen.get(name)?.type, 'file', name);
      assert.equal(seen.get(name)?.size, content.length, name);
      assert.equal(seen.get(name)?.sha256, sha256(content), name);
    }
    for (const [name, target] of Object.entries({
      link: '.././over//',
      absolute: '/nix/store',
      far: TARGET,
      fern: 'grüße/ß',
    }))
      assert.deepEqual([seen.get(name)?.type, seen.get(name)?.target], ['link', target]);
    assert.equal(seen.size, paths(SAMPLE).length);
  });

  it('has no names of owners, no hard links and nothing that is sparse', async () => {
    for (const { name, owner, mtime, type, pax } of seenByPython(await tarOf(SAMPLE))) {
      assert.deepEqual([owner, mtime], ['0:0::', 1], name);
      assert.ok(['file', 'folder', 'link'].includes(type), name);
      assert.deepEqual(
        Object.keys(pax).filter((key) => !['path', 'linkpath'].includes(key)),
        [],
        name,
      );
    }
  });
});

describe("a tar's blocks", () => {
  it('end with two of zeros and nothing after them', async () => {
    for (const tree of [SAMPLE, folder([]), written({ a: 'x' })]) {
      const tar = await tarOf(tree);
      let end = 0;
      for (const { at, size } of headersOf(tar)) end = at + 512 + Math.ceil(size / 512) * 512;
      assert.deepEqual(tar.subarray(end), Buffer.alloc(1024));
    }
  });

  it('use pax for what has no room in ustar or is not ASCII, and only then', async () => {
    const of = (length: number): string => 'a'.repeat(length);
    const below = (parent: string, node: Node): FolderNode => folder([[parent, folder([['x'.repeat(100), node]])]]);
    const cases: readonly (readonly [what: string, tree: FolderNode, records: readonly string[][]])[] = [
      ['a name of 100 bytes', written({ [of(100)]: '' }), []],
      ['a name of 101 bytes', written({ [of(101)]: '' }), [['path']]],
      ['a folder of 99 bytes', written({ [of(99)]: {} }), []],
      ['a folder of 100 bytes, and its slash', written({ [of(100)]: {} }), [['path']]],
      ['a name of 100 bytes in a folder of 99', below(of(99), file(Buffer.alloc(0))), []],
      ['a name that is not ASCII', written({ ä: '' }), [['path']]],
      ['a target of 100 bytes', written({ a: `-> ${of(100)}` }), []],
      ['a target of 101 bytes', written({ a: `-> ${of(101)}` }), [['linkpath']]],
      ['a target that is not ASCII', written({ a: '-> ß' }), [['linkpath']]],
      ['both', written({ ä: `-> ${of(101)}` }), [['path', 'linkpath']]],
    ];
    for (const [what, tree, records] of cases) assert.deepEqual(paxRecords(await tarOf(tree)), records, what);
  });

  it('tell a size over 8 GiB by pax', async () => {
    const size = 8 * 1024 ** 3;
    const huge = (bytes: number): FileNode => ({ kind: 'file', mode: 0o644, size: bytes, read: () => [] });
    const headers = async (bytes: number): Promise<Buffer> => {
      const pieces: Uint8Array[] = [];
      const write = (piece: Uint8Array): void => void pieces.push(piece);
      const sink = { write, ready: () => undefined };
      await assert.rejects(writeTar(folder([['huge', huge(bytes)]]), sink, { hashed: new Set() }));
      return Buffer.concat(pieces);
    };
    assert.deepEqual(paxRecords(await headers(size - 1)), []);
    assert.ok((await headers(size)).includes(` size=${size}\n`));
  });

  it('have one fixed name and time for every pax header, and no atime or ctime', async () => {
    const tar = await tarOf(SAMPLE);
    const headers = [...headersOf(tar)].filter(({ block }) => block[156] === 'x'.charCodeAt(0));
    assert.ok(headers.length > 5);
    for (const { block } of headers) {
      assert.equal(block.toString('latin1', 0, 100).replace(/\0+$/, ''), 'PaxHeader');
      assert.match(block.toString('latin1', 136, 148), /^0{10}1[ \0]$/);
      assert.equal(block.toString('latin1', 345, 500).replace(/\0+$/, ''), '');
    }
    assert.ok(paxRecords(tar).every((keys) => keys.every((key) => key === 'path' || key === 'linkpath')));
  });

  it('are the same whatever order a folder was made in', async () => {
    const names = ['b', 'a', 'a-b', 'ä', '\ue000', '𝄞', 'B'];
    const of = (order: readonly string[]): FolderNode => folder(order.map((name) => [name, file(Buffer.from(name))]));
    assert.deepEqual(await tarOf(of(names)), await tarOf(of(names.toReversed())));
  });
});

describe('writeTar refuses', () => {
  const broken = (size: number, pieces: readonly string[]): FileNode => ({
    kind: 'file',
    mode: 0o644,
    size,
    read: () => pieces.map((piece) => Buffer.from(piece)),
  });

  it('a whiteout, wherever it stands', async () => {
    for (const name of ['.wh.', '.wh.x', '.wh..wh..opq'])
      for (const node of [file(Buffer.alloc(0)), symlink('x'), folder([])])
        await assert.rejects(tarOf(folder([['d', folder([[name, node]])]])), hasCode('INPUT_REFUSED'), name);
  });

  it('a file that gives fewer or more bytes than it said', async () => {
    await assert.rejects(tarOf(folder([['short', broken(10, ['123'])]])));
    await assert.rejects(tarOf(folder([['long', broken(2, ['123'])]])));
  });

  it('to go on once it is told to stop', async () => {
    const stop = new AbortController();
    const endless: FileNode = {
      kind: 'file',
      mode: 0o644,
      size: Number.MAX_SAFE_INTEGER,
      *read() {
        for (;;) yield Buffer.alloc(CHUNK_BYTES);
      },
    };
    let bytes = 0;
    const write = (piece: Uint8Array): void => {
      bytes += piece.length;
      if (bytes > 3 * CHUNK_BYTES) stop.abort();
    };
    const sink = { write, ready: () => undefined };
    const options = { hashed: new Set<string>(), signal: stop.signal };
    await assert.rejects(writeTar(folder([['endless', endless]]), sink, options), hasCode('ABORTED'));
  });

  it("what its reader refuses, with the reader's error", async () => {
    const failing: FileNode = {
      kind: 'file',
      mode: 0o644,
      size: 5,
      read: () => {
        throw new RangeError('gone');
      },
    };
    await assert.rejects(tarOf(folder([['a', failing]])), RangeError);
  });
});
