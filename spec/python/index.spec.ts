import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { IndexFile } from '../../src/python/index-file.ts';
import type { PackageIndex, PackageIndexOptions } from '../../src/python/package-index.ts';
import { hasCode } from '../support/codes.ts';
import { scratch } from '../support/scratch.ts';
import {
  type IndexOptions,
  type Opened,
  metadataText,
  openPlaces,
  sdist,
  sha256,
  startIndex,
  wheel,
  wheelhouse,
} from './lab.ts';

const A = wheel('a', '1.0', { requires: ['b>=1'], files: { 'a/data': Buffer.alloc(200_000, 'x') } });
const B = sdist('b', '1.0', { files: { 'b.egg-info/PKG-INFO': metadataText('b', '1.0') } });

async function only(index: PackageIndex, name: string): Promise<IndexFile> {
  const { files } = await index.project(name);
  const [file] = files;
  assert.ok(file !== undefined && files.length === 1, name);
  return file;
}

async function requires(index: PackageIndex, name = 'a'): Promise<readonly string[]> {
  return (await index.metadata(await only(index, name))).requires.map(({ text }) => text);
}

describe('metadata of a remote wheel', () => {
  const ways: readonly (readonly [string, IndexOptions, readonly string[]])[] = [
    ['.metadata where it is', { metadata: true }, ['.metadata']],
    ['ranges where .metadata is not, though promised', { metadata: 'promised' }, ['.metadata', 'bytes=']],
    ['ranges where no .metadata is promised', {}, ['bytes=']],
    ['ranges of a file of unknown size', { sizes: false }, ['bytes=-']],
    ['the whole file where there are no ranges', { ranges: false }, ['bytes=', 'whl']],
    ['the whole file where its digest is not known', { hashes: false, metadata: true }, ['whl']],
  ];
  for (const html of [false, true])
    for (const [title, options, expected] of ways)
      it(`is ${title}, by ${html ? 'HTML' : 'JSON'}`, async (t) => {
        const double = await startIndex(t, [A], { ...options, html });
        const { index } = openPlaces(t, { indexes: [double.url] });
        assert.deepEqual(await requires(index), ['b>=1']);
        const asked = double.asked.slice(1);
        assert.equal(asked.length, expected.length, asked.join('\n'));
        for (const [at, part] of expected.entries()) assert.ok(asked[at]?.includes(part), asked[at]);
        assert.equal(await index.sha256(await only(index, 'a')), sha256(A.bytes));
      });

  it('takes two requests where METADATA lies far from the end', async (t) => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, at) => [`a/file-of-many-${at}`, '']));
    const far = wheel('a', '1.0', { requires: ['b>=1'], files: many });
    const double = await startIndex(t, [far]);
    const { index } = openPlaces(t, { indexes: [double.url] });
    assert.deepEqual(await requires(index), ['b>=1']);
    assert.ok(double.asked.length > 2);
    assert.ok(double.asked.every((line) => !line.endsWith('.whl')));
  });

  it('is read out of the whole sdist, whose digest is checked', async (t) => {
    const double = await startIndex(t, [B]);
    const { index } = openPlaces(t, { indexes: [double.url] });
    assert.deepEqual(await requires(index, 'b'), []);
    assert.equal(double.asked.length, 2);
  });
});

describe('the cache', () => {
  it('answers again without asking, for as long as pages are fresh, and offline always', async (t) => {
    const double = await startIndex(t, [A, B], { metadata: true });
    const places = { indexes: [double.url] };
    const { index, cacheFolder } = openPlaces(t, places);
    await requires(index);
    await requires(index, 'b');
    const asked = double.asked.length;
    const again = async (options: Partial<PackageIndexOptions>): Promise<number> => {
      const opened = openPlaces(t, places, { cacheFolder, ...options });
      await requires(opened.index);
      await requires(opened.index, 'b');
      return double.asked.length - asked;
    };
    assert.equal(await again({}), 0);
    assert.equal(await again({ offline: true, now: () => 1e12 }), 0);
    assert.equal(await again({ now: () => 1e12 }), 2);
  });

  it('asks whether a page changed, and takes the old one where it did not', async (t) => {
    let body = '<a href="../../files/a-1.0.zip">a</a>';
    const states: number[] = [];
    const double = await startIndex(t, [], {
      fault: (request, response) => {
        const etag = `"${sha256(Buffer.from(body))}"`;
        const status = request.headers['if-none-match'] === etag ? 304 : 200;
        states.push(status);
        response.writeHead(status, { etag, 'content-type': 'text/html' }).end(status === 304 ? '' : body);
        return true;
      },
    });
    const { index } = openPlaces(t, { indexes: [double.url] }, { maxAge: 0 });
    await only(index, 'a');
    await only(index, 'a');
    body += '<a href="../../files/a-2.0.zip">a</a>';
    assert.equal((await index.project('a')).files.length, 2);
    assert.deepEqual(states, [200, 304, 200]);
  });

  it('keeps nothing that cannot be read, and is not believed where it is broken', async (t) => {
    let body = 'neither';
    const double = await startIndex(t, [A], {
      metadata: true,
      fault: (request, response) => {
        if (request.url?.startsWith('/simple') !== true || body === '') return false;
        response.end(body);
        return true;
      },
    });
    const places = { indexes: [double.url] };
    const { index, cacheFolder } = openPlaces(t, places);
    await assert.rejects(index.project('a'), hasCode('INPUT_MALFORMED'));
    body = '';
    assert.deepEqual(await requires(index), ['b>=1']);
    for (const entry of readdirSync(cacheFolder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) writeFileSync(join(entry.parentPath, entry.name), 'broken');
    assert.deepEqual(await requires(openPlaces(t, places, { cacheFolder }).index), ['b>=1']);
  });

  it('may be a folder that cannot be written', async (t) => {
    const double = await startIndex(t, [A], { metadata: true });
    const file = join(scratch(t), 'file');
    await writeFile(file, '');
    const { index } = openPlaces(t, { indexes: [double.url] }, { cacheFolder: join(file, 'cache') });
    assert.deepEqual(await requires(index), ['b>=1']);
  });
});

describe('offline', () => {
  it('asks for nothing, and says what is missing', async (t) => {
    const double = await startIndex(t, [A]);
    const { index } = openPlaces(t, { indexes: [double.url] }, { offline: true });
    await assert.rejects(index.project('a'), hasCode('INPUT_ABSENT'));
    assert.deepEqual(double.asked, []);
    const house = openPlaces(t, { findLinks: [wheelhouse(t, [A])] }, { offline: true });
    assert.deepEqual(await requires(house.index), ['b>=1']);
  });
});

describe('retries', () => {
  const failing = (
    statuses: readonly (number | 'break' | 'cut')[],
    headers: Record<string, string> = {},
  ): IndexOptions => {
    const rest = [...statuses];
    return {
      fault: (_, response) => {
        const next = rest.shift();
        if (next === undefined) return false;
        if (next === 'break') response.destroy();
        else if (next === 'cut')
          response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy());
        else response.writeHead(next, headers).end('trouble');
        return true;
      },
    };
  };

  async function tryIt(t: TestContext, options: IndexOptions): Promise<Opened> {
    const double = await startIndex(t, [A], options);
    const opened = openPlaces(t, { indexes: [double.url] });
    await only(opened.index, 'a');
    return opened;
  }

  it('follow what may pass, three times', async (t) => {
    assert.equal((await tryIt(t, failing([503, 'break', 'cut']))).waits.length, 3);
    await assert.rejects(tryIt(t, failing([500, 502, 503, 504])), hasCode('REGISTRY'));
    await assert.rejects(tryIt(t, failing(['cut', 'cut', 'break', 'cut'])), hasCode('NETWORK'));
  });

  it('wait as long as they are told, and say so', async (t) => {
    const { waits, notes } = await tryIt(t, failing([429], { 'retry-after': '7' }));
    assert.deepEqual([waits, notes.length], [[7000], 1]);
  });

  it('do not follow what will not pass', async (t) => {
    await assert.rejects(tryIt(t, failing([400])), hasCode('REGISTRY'));
    for (const status of [401, 403, 407]) await assert.rejects(tryIt(t, failing([status])), hasCode('AUTHENTICATION'));
    const opened = openPlaces(t, { indexes: ['http://127.0.0.1:1/simple/'] });
    await assert.rejects(opened.index.project('a'), hasCode('NETWORK'));
    assert.deepEqual(opened.waits, []);
  });

  it('end with the caller’s signal', async (t) => {
    const double = await startIndex(t, [A], { fault: () => true });
    const stop = new AbortController();
    const { index } = openPlaces(t, { indexes: [double.url] }, { signal: stop.signal });
    const asking = index.project('a');
    setTimeout(() => stop.abort(), 20);
    await assert.rejects(asking, hasCode('ABORTED'));
    await assert.rejects(index.project('b'), hasCode('ABORTED'));
  });
});

describe('credentials', () => {
  it('go to the index’s own origin, for pages and files, and nowhere else', async (t) => {
    const other = await startIndex(t, [A], { metadata: true });
    const double = await startIndex(t, [B], {
      login: 'jan:p@ss/word',
      fault: (request, response) => {
        if (request.url !== '/simple/a/') return false;
        response.end(`<a href="http://${other.host}/files/${A.file}#sha256=${sha256(A.bytes)}">a</a>`);
        return true;
      },
    });
    const address = double.url.replace('//', '//jan:p%40ss%2Fword@');
    const { index } = openPlaces(t, { indexes: [address] });
    await requires(index, 'b');
    await requires(index, 'a');
    assert.ok(other.asked.length > 0 && other.sent.every((headers) => headers.authorization === undefined));
    const { files } = await index.project('b');
    for (const text of [...files.map(({ url }) => url), ...index.labels]) assert.ok(!text.includes('jan'), text);
  });

  it('are in no message and not in the cache', async (t) => {
    const double = await startIndex(t, [A, B], { login: 'jan:other' });
    const address = double.url.replace('//', '//jan:secretword@');
    const { index, cacheFolder } = openPlaces(t, { indexes: [address], findLinks: [`${address}links.html`] });
    await assert.rejects(index.project('a'), (error) => {
      hasCode('AUTHENTICATION')(error);
      return !String(error).includes('secretword');
    });
    const good = openPlaces(t, { indexes: [double.url.replace('//', '//jan:other@')] }, { cacheFolder });
    await requires(good.index, 'a');
    for (const entry of readdirSync(cacheFolder, { recursive: true, withFileTypes: true }))
      if (entry.isFile()) assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes('jan:'), entry.name);
  });
});

describe('folders and links', () => {
  it('are an index by folder, by file:// and by relative path', async (t) => {
    const base = scratch(t);
    await mkdir(join(base, 'simple', 'a'), { recursive: true });
    await mkdir(join(base, 'simple', 'b'), { recursive: true });
    await writeFile(join(base, 'simple', 'a', A.file), A.bytes);
    await writeFile(join(base, B.file), B.bytes);
    await writeFile(join(base, 'simple', 'b', 'index.html'), `<a href="../../${B.file}">b</a>`);
    for (const address of [
      join(base, 'simple'),
      pathToFileURL(join(base, 'simple')).toString(),
      'simple',
      'file://simple',
    ]) {
      const { index } = openPlaces(t, { indexes: [address] }, { baseFolder: base });
      assert.deepEqual(await requires(index), ['b>=1'], address);
      assert.deepEqual(await requires(index, 'b'), []);
      assert.deepEqual([(await index.project('c')).found, index.isRemote], [false, false]);
      assert.equal(await index.sha256(await only(index, 'b')), sha256(B.bytes));
    }
  });

  it('are a wheelhouse, a page or a file on this machine or elsewhere', async (t) => {
    const folder = wheelhouse(t, [A, B]);
    await writeFile(join(folder, 'links.html'), `<a href="${A.file}">a</a> <a href="${B.file}">b</a>`);
    const double = await startIndex(t, [A], {
      fault: (request, response) => {
        if (request.url !== '/links') return false;
        response.end(`<html><a href="/files/${A.file}#sha256=${sha256(A.bytes)}">a</a></html>`);
        return true;
      },
    });
    for (const address of [
      folder,
      join(folder, 'links.html'),
      join(folder, A.file),
      `http://${double.host}/links`,
      `http://${double.host}/files/${A.file}#sha256=${sha256(A.bytes)}`,
    ]) {
      const { index } = openPlaces(t, { findLinks: [address] });
      assert.deepEqual(await requires(index), ['b>=1'], address);
    }
  });

  it('come before an index, and are told of where they are not there', async (t) => {
    const double = await startIndex(t, [A]);
    const gone = join(scratch(t), 'gone');
    const places = { indexes: [double.url], findLinks: [gone, `http://${double.host}/gone`, wheelhouse(t, [A])] };
    const { index, notes } = openPlaces(t, places);
    assert.match((await only(index, 'a')).url, /^file:/);
    await index.project('b');
    assert.equal(notes.filter((note) => note.includes(gone)).length, 1);
  });
});

describe('download', () => {
  it('is checked, and done once', async (t) => {
    const double = await startIndex(t, [A]);
    const { index } = openPlaces(t, {});
    const folder = scratch(t);
    const locked = { file: A.file, url: `http://${double.host}/files/${A.file}`, sha256: sha256(A.bytes) };
    const path = await index.download(locked, folder);
    assert.deepEqual(readFileSync(path), A.bytes);
    await index.download(locked, folder);
    assert.equal(double.asked.length, 1);
    writeFileSync(path, 'other');
    await index.download(locked, folder);
    assert.deepEqual(readFileSync(path), A.bytes);
    await assert.rejects(index.download({ ...locked, file: '../x.whl' }, folder), hasCode('INPUT_REFUSED'));
    await assert.rejects(index.download({ ...locked, file: '..' }, folder), hasCode('INPUT_REFUSED'));
  });

  it('leaves nothing where it fails', async (t) => {
    const double = await startIndex(t, [A], {
      fault: (request, response) => {
        if (request.url?.includes('cut') !== true) return false;
        response.writeHead(200, { 'content-length': 100 }).write('x', () => response.destroy());
        return true;
      },
    });
    const { index } = openPlaces(t, {});
    const folder = scratch(t);
    const url = `http://${double.host}/files/${A.file}`;
    const right = sha256(A.bytes);
    for (const [locked, code] of [
      [{ file: 'a.whl', url, sha256: 'ab'.repeat(32) }, 'DIGEST_MISMATCH'],
      [{ file: 'a.whl', url: `${url}cut`, sha256: right }, 'NETWORK'],
      [{ file: 'a.whl', url: `${url}gone`, sha256: right }, 'REGISTRY'],
      [{ file: 'a.whl', url: pathToFileURL(join(folder, 'gone')).toString(), sha256: right }, 'INPUT_ABSENT'],
    ] as const) {
      await assert.rejects(index.download(locked, folder), hasCode(code));
      assert.deepEqual(readdirSync(folder), []);
    }
  });
});
