import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { diskTree } from '../../src/layer/disk-tree.ts';
import { type TarSink, writeTar } from '../../src/layer/tar.ts';
import { CHUNK_BYTES, type FileNode, type FolderNode } from '../../src/layer/tree.ts';
import { walk } from '../../src/layer/walk.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { asPlainUser } from '../support/plain-user.ts';
import { scratch } from '../support/scratch.ts';
import { content, lines, tarOf } from '../support/trees.ts';

function folderAt(path: string): FolderNode {
  const node = diskTree(path);
  assert.equal(node.kind, 'folder');
  return node;
}

function fileAt(path: string): FileNode {
  const node = diskTree(path);
  assert.equal(node.kind, 'file');
  return node;
}

/** Bytes as a shell's printf has them, for names that are not text. */
function shell(folder: string, command: string): void {
  execFileSync('bash', ['-c', command], { cwd: folder });
}

describe('diskTree', () => {
  it('has the modes that Nix gives, whatever there are on disk', (t) => {
    const folder = scratch(t);
    for (const mode of [0o400, 0o600, 0o644, 0o666, 0o655, 0o700, 0o755, 0o777, 0o4755]) {
      writeFileSync(join(folder, mode.toString(8)), '');
      chmodSync(join(folder, mode.toString(8)), mode);
    }
    mkdirSync(join(folder, 'dir'));
    chmodSync(join(folder, 'dir'), 0o700);
    const expected = [
      '400 444 ',
      '4755 555 ',
      '600 444 ',
      '644 444 ',
      '655 444 ',
      '666 444 ',
      '700 555 ',
      '755 555 ',
      '777 555 ',
    ];
    assert.deepEqual(lines(folderAt(folder)), [...expected, 'dir/ 555']);
  });

  it('gives the same tar under any umask', async (t) => {
    const make = (mask: number): string => {
      const folder = scratch(t);
      const before = process.umask(mask);
      try {
        mkdirSync(join(folder, 'p', 'bin'), { recursive: true });
        writeFileSync(join(folder, 'p', 'bin', 'program'), 'x', { mode: 0o777 });
        writeFileSync(join(folder, 'p', 'file'), 'x');
      } finally {
        process.umask(before);
      }
      return folder;
    };
    assert.deepEqual(await tarOf(folderAt(make(0o077))), await tarOf(folderAt(make(0))));
  });

  it('lists by bytes and keeps links as they are', (t) => {
    const folder = scratch(t);
    for (const name of ['𝄞', '\ue000', 'a-b', 'a', 'B']) writeFileSync(join(folder, name), '');
    symlinkSync('../nowhere//', join(folder, 'link'));
    assert.deepEqual(lines(folderAt(folder)), [
      'B 444 ',
      'a 444 ',
      'a-b 444 ',
      'link -> ../nowhere//',
      '\ue000 444 ',
      '𝄞 444 ',
    ]);
    assert.deepEqual(diskTree(join(folder, 'link')), { kind: 'symlink', target: '../nowhere//' });
  });

  it('takes a hard-linked file for two', async (t) => {
    const [one, two] = [scratch(t), scratch(t)];
    writeFileSync(join(one, 'a'), 'same');
    linkSync(join(one, 'a'), join(one, 'b'));
    writeFileSync(join(two, 'a'), 'same');
    writeFileSync(join(two, 'b'), 'same');
    assert.deepEqual(lines(folderAt(one)), ['a 444 same', 'b 444 same']);
    assert.deepEqual(await tarOf(folderAt(one)), await tarOf(folderAt(two)));
  });

  it('reads a file in pieces of a mebibyte', (t) => {
    const path = join(scratch(t), 'file');
    writeFileSync(path, Buffer.alloc(2 * CHUNK_BYTES + 5, 'x'));
    assert.deepEqual(
      Array.from(fileAt(path).read(), ({ length }) => length),
      [CHUNK_BYTES, CHUNK_BYTES, 5],
    );
  });
});

describe('a file of a listing', () => {
  const descriptors = (): number => readdirSync('/proc/self/fd').length;
  const skip = existsSync('/proc/self/fd') ? false : 'no /proc to count open files by';
  const made = (t: TestContext): string => {
    const path = join(scratch(t), 'p');
    mkdirSync(join(path, 'lib'), { recursive: true });
    for (const name of ['a', 'b', 'lib/c']) writeFileSync(join(path, name), name);
    return path;
  };

  it('is open until the next one is asked for, and no longer', { skip }, (t) => {
    const path = made(t);
    const before = descriptors();
    const open: number[] = [];
    for (const [, node] of folderAt(path).list()) if (node.kind === 'file') open.push(descriptors() - before);
    assert.deepEqual(open, [1, 1]);
    assert.equal(descriptors(), before);
  });

  it('is closed where a walk ends early', { skip }, async (t) => {
    const path = made(t);
    const before = descriptors();
    const steps = walk(folderAt(path));
    steps.next();
    steps.return(undefined);
    const tree = folderAt(dirname(path));
    const sink: TarSink = {
      write(piece) {
        if (Buffer.from(piece).toString() === 'lib/c') throw new RangeError('full');
      },
      ready: () => undefined,
    };
    await assert.rejects(writeTar(tree, sink, { hashed: new Set() }), RangeError);
    assert.equal(descriptors(), before);
  });

  it('can still be read when others were', (t) => {
    const nodes = [...folderAt(made(t)).list()].map(([, node]) => node);
    assert.deepEqual(
      nodes.flatMap((node) => (node.kind === 'file' ? [String(content(node))] : [])),
      ['a', 'b'],
    );
  });

  it('is put where there is room for it', (t) => {
    const room = new Uint8Array(10);
    for (const [name, node] of folderAt(made(t)).list())
      if (node.kind === 'file') {
        const [piece, ...more] = node.read(() => room.subarray(3));
        assert.deepEqual([piece?.buffer, piece?.byteOffset, more], [room.buffer, 3, []]);
        assert.equal(String(Buffer.from(room.buffer, 3, 1)), name);
      }
  });

  it('is cut where there is less room', (t) => {
    const path = join(scratch(t), 'p');
    mkdirSync(path);
    writeFileSync(join(path, 'file'), 'eleven more');
    for (const [, node] of folderAt(path).list()) {
      if (node.kind !== 'file') continue;
      const pieces = Array.from(
        node.read(() => new Uint8Array(4)),
        (piece) => String(Buffer.from(piece)),
      );
      assert.deepEqual(pieces, ['elev', 'en m', 'ore']);
    }
  });

  for (const [what, change] of Object.entries<(path: string) => void>({
    'that grew': (path) => writeFileSync(path, 'more', { flag: 'a' }),
    'that shrank': (path) => truncateSync(path),
    'that was written to': (path) => writeFileSync(path, 'y'),
  }))
    it(`${what} since it was listed is an error`, (t) => {
      const path = made(t);
      utimesSync(join(path, 'a'), new Date('2020-01-01'), new Date('2020-01-01'));
      const [first] = folderAt(path).list();
      const listing = folderAt(path).list()[Symbol.iterator]();
      const [, node] = listing.next().value ?? ['', undefined];
      assert.equal(first?.[0], 'a');
      assert.ok(node?.kind === 'file');
      change(join(path, 'a'));
      assert.throws(() => content(node), hasCode('INPUT_MALFORMED'));
      listing.return?.();
    });

  for (const [what, become] of Object.entries<(path: string) => void>({
    'a link': (path) => symlinkSync('/etc/passwd', path),
    'a folder': (path) => mkdirSync(path),
  }))
    it(`that became ${what} is not followed into it`, (t) => {
      const path = made(t);
      const listing = folderAt(path).list()[Symbol.iterator]();
      listing.next();
      rmSync(join(path, 'b'));
      become(join(path, 'b'));
      assert.throws(() => listing.next(), hasCode('INPUT_MALFORMED'));
    });
});

describe('diskTree notices', () => {
  const old = new Date('2020-01-01');
  const sized = (t: TestContext, bytes: number): string => {
    const path = join(scratch(t), 'file');
    writeFileSync(path, Buffer.alloc(bytes, 'x'));
    utimesSync(path, old, old);
    return path;
  };
  const CHANGES: Readonly<Record<string, (path: string) => void>> = {
    'that grows': (path) => writeFileSync(path, 'more', { flag: 'a' }),
    'that shrinks': (path) => truncateSync(path, 1),
    'that vanishes': (path) => rmSync(path),
    'that is written to': (path) => writeFileSync(path, Buffer.alloc(3 * CHUNK_BYTES, 'y')),
    'that is replaced': (path) => {
      writeFileSync(`${path}-new`, Buffer.alloc(3 * CHUNK_BYTES, 'y'));
      utimesSync(`${path}-new`, old, old);
      renameSync(`${path}-new`, path);
    },
    'that becomes a folder': (path) => {
      rmSync(path);
      mkdirSync(path);
    },
  };
  for (const [what, change] of Object.entries(CHANGES))
    it(`a file ${what} before it is read`, (t) => {
      const path = sized(t, 3 * CHUNK_BYTES);
      const node = fileAt(path);
      change(path);
      assert.throws(() => content(node), hasCode('INPUT_MALFORMED'));
    });

  const WHILE: Readonly<Record<string, (path: string) => void>> = {
    'that shrinks': (path) => truncateSync(path, CHUNK_BYTES + 1),
    'that grows': (path) => writeFileSync(path, 'more', { flag: 'a' }),
    'written to where it was read already': (path) => {
      const fd = openSync(path, 'r+');
      writeSync(fd, 'y', 0);
      closeSync(fd);
    },
  };
  for (const [what, change] of Object.entries(WHILE))
    it(`a file ${what}, while it is read`, (t) => {
      const path = sized(t, 3 * CHUNK_BYTES);
      const pieces = fileAt(path).read()[Symbol.iterator]();
      pieces.next();
      change(path);
      assert.throws(() => {
        while (pieces.next().done !== true);
      }, hasCode('INPUT_MALFORMED'));
    });

  it('a file that vanishes between its name and its node', (t) => {
    const folder = scratch(t);
    for (const name of ['a', 'b']) writeFileSync(join(folder, name), '');
    const listing = folderAt(folder).list()[Symbol.iterator]();
    listing.next();
    rmSync(join(folder, 'b'));
    assert.throws(() => listing.next(), hasCode('INPUT_MALFORMED'));
  });

  it('a path that is not there', (t) => {
    assert.throws(() => diskTree(join(scratch(t), 'nothing')), hasCode('INPUT_MALFORMED'));
  });
});

describe('diskTree refuses', () => {
  it('a socket', async (t) => {
    const folder = scratch(t);
    const server = createServer().listen(join(folder, 'socket'));
    await new Promise((resolve) => server.once('listening', () => resolve(null)));
    t.after(() => server.close());
    assert.throws(() => lines(folderAt(folder)), hasCode('INPUT_REFUSED'));
  });

  it('a FIFO', { skip: missing('mkfifo') }, (t) => {
    const folder = scratch(t);
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    assert.throws(() => lines(folderAt(folder)), hasCode('INPUT_REFUSED'));
  });

  it('a name that is not UTF-8', { skip: missing('bash') }, (t) => {
    const folder = scratch(t);
    shell(folder, String.raw`: > $'caf\xe9'`);
    assert.throws(() => lines(folderAt(folder)), hasCode('INPUT_REFUSED'));
  });

  it('a link target that is not UTF-8', { skip: missing('bash') }, (t) => {
    const folder = scratch(t);
    shell(folder, String.raw`ln -s $'caf\xe9' link`);
    assert.throws(() => lines(folderAt(folder)), hasCode('INPUT_REFUSED'));
  });

  it('what this user may not read', async (t) => {
    const folder = scratch(t);
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, 'secret'), 'x', { mode: 0 });
    mkdirSync(join(folder, 'closed'), { mode: 0 });
    await asPlainUser(async () => {
      assert.throws(() => content(fileAt(join(folder, 'secret'))), hasCode('INPUT_ABSENT'));
      assert.throws(() => lines(folderAt(join(folder, 'closed'))), hasCode('INPUT_ABSENT'));
      return Promise.resolve();
    });
    chmodSync(join(folder, 'closed'), 0o755);
  });
});
