import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Listed, Recognizer, projectsOf } from '../../src/python/index-file.ts';
import { parseSimplePage } from '../../src/python/simple-page.ts';
import { parseSpecifiers } from '../../src/python/specifier.ts';
import { hasCode } from '../support/codes.ts';

const BASE = 'https://index.example.org/simple/a/';
const HASH = 'ab'.repeat(32);

function json(files: unknown, more: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(JSON.stringify({ meta: { 'api-version': '1.0' }, name: 'a', ...more, files }));
}

function page(bytes: Buffer | string, type = 'application/vnd.pypi.simple.v1+json', base = BASE): readonly Listed[] {
  return parseSimplePage(Buffer.from(bytes), type, base);
}

const FILE: Listed = {
  file: 'a-1.0.tar.gz',
  url: 'https://files.example.org/a-1.0.tar.gz',
  hash: { algorithm: 'sha256', value: HASH },
  requiresPython: '>=3.8',
  yanked: null,
  size: 10,
  metadata: null,
};

describe('JSON pages', () => {
  it('list files with all that is said of them', () => {
    const [file, other] = page(
      json([
        {
          filename: 'a-1.0.tar.gz',
          url: FILE.url,
          hashes: { md5: 'cd'.repeat(16), sha256: HASH.toUpperCase() },
          'requires-python': '>=3.8',
          size: 10,
          yanked: false,
          provenance: null,
        },
        {
          filename: 'a-1.1-py3-none-any.whl',
          url: '../../files/a-1.1-py3-none-any.whl#x',
          hashes: { md5: 'cd'.repeat(16) },
          'requires-python': null,
          yanked: 'broken, "really" [x] {',
          'dist-info-metadata': { sha256: HASH },
        },
      ]),
    );
    assert.deepEqual(file, FILE);
    assert.deepEqual(other, {
      file: 'a-1.1-py3-none-any.whl',
      url: 'https://index.example.org/files/a-1.1-py3-none-any.whl',
      hash: { algorithm: 'md5', value: 'cd'.repeat(16) },
      requiresPython: null,
      yanked: 'broken, "really" [x] {',
      size: null,
      metadata: { sha256: HASH },
    });
  });

  it('may be empty, have files first or last, and be spaced', () => {
    assert.deepEqual(page(json([])), []);
    const item = { filename: FILE.file, url: FILE.url, hashes: { sha256: HASH }, 'requires-python': '>=3.8', size: 10 };
    for (const text of [
      JSON.stringify({ files: [item], versions: ['1.0'], meta: { files: [1] } }, null, 4),
      JSON.stringify({ versions: ['files', '['], x: { files: ['no'] }, files: [item] }),
      `\n  ${JSON.stringify({ 'alternate-locations': ['"files":['], files: [item, item] })}\n`,
    ])
      assert.deepEqual(page(text)[0], FILE, text);
  });

  it('pass over what is not a file, and what is not wanted', () => {
    assert.deepEqual(page(json([null, 1, {}, { filename: 'x' }, { url: 'x' }, { filename: 1, url: 2 }])), []);
    const two = json([
      { filename: 'a-1.0.tar.gz', url: 'x' },
      { url: 'y', filename: 'a-2.0.tar.gz' },
    ]);
    const wanted = parseSimplePage(two, '', BASE, (file) => file.includes('2.0'));
    assert.deepEqual(
      wanted.map(({ file }) => file),
      ['a-2.0.tar.gz'],
    );
  });

  it('are refused where they are none, cut off, or of a later version', () => {
    const whole = json([{ filename: FILE.file, url: FILE.url }]).toString();
    for (const text of [
      '{',
      '[]',
      '{}',
      'null',
      'plain text',
      '',
      whole.slice(0, -1),
      whole.slice(0, -30),
      whole.replace('"filename"', 'filename'),
      '{"files": {}}',
      '{"meta": {"api-version": "2.0"}, "files": []}',
      '{"files": [1, ]}',
    ])
      assert.throws(() => page(text), hasCode('INPUT_MALFORMED'), text);
  });
});

describe('HTML pages', () => {
  it('list links with what PEP 503, 592 and 658 put on them', () => {
    const html = `<!DOCTYPE html><html><head><base href="https://files.example.org/"></head><body>
      <!-- <a href="hidden-1.0.tar.gz">hidden</a> -->
      <a href="a-1.0.tar.gz#sha256=${HASH}" data-requires-python="&gt;=3.8">a-1.0.tar.gz</a>
      <A  data-yanked='bad' HREF='a-1.1-py3-none-any.whl#md5=${'cd'.repeat(16)}' data-requires-python=">=3.8,<4"
          data-dist-info-metadata="sha256=${HASH}">x</A>
      <a name="top">no link</a><a href=/plain-1.0.zip>y</a><a href="a%2B1-1.0.tar.gz">z</a>
      <a href="#"></a><a href="mailto:x@example.org">m</a></body></html>`;
    const files = page(html, 'text/html');
    assert.deepEqual(files[0], { ...FILE, size: null });
    assert.deepEqual(
      [files[1]?.yanked, files[1]?.requiresPython, files[1]?.metadata, files[1]?.hash?.algorithm],
      ['bad', '>=3.8,<4', { sha256: HASH }, 'md5'],
    );
    assert.deepEqual(
      files.slice(2, 4).map(({ file, url }) => [file, url]),
      [
        ['plain-1.0.zip', 'https://files.example.org/plain-1.0.zip'],
        ['a+1-1.0.tar.gz', 'https://files.example.org/a%2B1-1.0.tar.gz'],
      ],
    );
    assert.ok(files.every(({ url }) => url.startsWith('https://')));
  });

  it('are read where JSON was promised, and JSON where HTML was', () => {
    assert.equal(page('<html><a href="a-1.0.zip">a</a>', 'application/vnd.pypi.simple.v1+json').length, 1);
    assert.equal(page(json([{ filename: FILE.file, url: FILE.url }]), 'text/html').length, 1);
    assert.deepEqual(page('', 'text/html; charset=utf-8'), []);
  });
});

describe('pages, whatever their form', () => {
  it('keep no credentials, and name no file of this machine', () => {
    for (const url of ['https://u:p@files.example.org/a-1.0.tar.gz', '//u:p@files.example.org/a-1.0.tar.gz']) {
      assert.equal(page(json([{ filename: FILE.file, url }]))[0]?.url, FILE.url);
      assert.equal(page(`<a href="${url}">x</a>`, 'text/html')[0]?.url, FILE.url);
    }
    for (const url of ['file:///etc/a-1.0.tar.gz', 'ftp://example.org/a-1.0.tar.gz', 'data:,x', 'https://[']) {
      assert.deepEqual(page(json([{ filename: FILE.file, url }])), [], url);
      assert.deepEqual(page(`<a href="${url}">x</a>`, 'text/html'), [], url);
    }
    const [local] = page('<a href="a-1.0.tar.gz">x</a>', 'text/html', 'file:///srv/simple/a/index.html');
    assert.equal(local?.url, 'file:///srv/simple/a/a-1.0.tar.gz');
  });
});

describe('file names', () => {
  it('tell project and version, in every spelling', () => {
    const table: readonly (readonly [string, string, string | null])[] = [
      ['plone.base-2.0.2-py3-none-any.whl', 'plone-base', '2.0.2'],
      ['plone_base-2.0.2-py3-none-any.whl', 'plone-base', '2.0.2'],
      ['products_cmfplone-6.1.0-py3-none-any.whl', 'products-cmfplone', '6.1.0'],
      ['Products.CMFPlone-6.1.0.tar.gz', 'products-cmfplone', '6.1.0'],
      ['plone-app-1.0.tar.gz', 'plone-app', '1.0'],
      ['plone-app-1.0.tar.gz', 'plone', null],
      ['python-dateutil-2.8-1.zip', 'python-dateutil', '2.8-1'],
      ['a-1.0_1-py3-none-any.whl', 'a', '1.0-1'],
      ['a-1.0.tgz', 'a', '1.0'],
      ['a-1.0.tar.bz2', 'a', '1.0'],
      ['a-1.0-py2.7.egg', 'a', null],
      ['a-1.0.win32.exe', 'a', null],
      ['a-1.0.tar.gz.asc', 'a', null],
      ['a-3.4dev-r73107.tar.gz', 'a', null],
      ['a-1.0.zip/../../b-1.0.zip', 'a', null],
      ['a-1.0-py3.x/../y-none-any.whl', 'a', null],
      ['a-1.0-py3\\-none-any.whl', 'a', null],
      ['a-1.0-py3-none-any\n.whl', 'a', null],
      ['a.whl', 'a', null],
    ];
    for (const [file, project, version] of table)
      assert.equal(new Recognizer(project, []).versionOf(file)?.text ?? null, version, file);
  });

  it('are looked at for the versions that are wanted alone, the first of two stays', () => {
    const listed = ['a-1.0.zip', 'a-2.0.zip', 'a-2.0.zip', 'b-2.0.zip'].map((file, at) => ({
      ...FILE,
      file,
      size: at,
    }));
    const files = new Recognizer('a', parseSpecifiers('>1')).all(listed);
    assert.deepEqual(
      files.map(({ file, size }) => [file, size]),
      [['a-2.0.zip', 1]],
    );
    assert.deepEqual(projectsOf(listed), ['a', 'b']);
  });
});
