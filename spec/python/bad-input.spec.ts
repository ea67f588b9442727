import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { type TestContext, describe, it } from 'node:test';
import { zipSync } from 'fflate';
import type { ErrorCode } from '../../src/errors.ts';
import { resolveWorkingSet } from '../../src/python/resolve.ts';
import { hasCode } from '../support/codes.ts';
import {
  type Distribution,
  type IndexOptions,
  metadataText,
  names,
  openPlaces,
  sdist,
  startIndex,
  wanted,
  wheel,
  wheelhouse,
} from './lab.ts';

interface Case {
  readonly title: string;
  readonly code: ErrorCode;
  readonly exit: number;
  readonly files: readonly Distribution[];
  readonly options?: IndexOptions;
  /** Who is at fault stands in the message. */
  readonly names: RegExp;
}

const A = wheel('a', '1.0');

/** An answer to every path that matches. */
function answering(path: RegExp, status: number, body: string | Buffer, type = 'text/plain'): IndexOptions {
  return {
    fault: (request, response) => {
      if (!path.test(request.url ?? '')) return false;
      response.writeHead(status, { 'content-type': type }).end(body);
      return true;
    },
  };
}

function cut(path: RegExp): IndexOptions {
  return {
    ranges: false,
    fault: (request, response) => {
      if (!path.test(request.url ?? '') || request.headers.range !== undefined) return false;
      response.writeHead(200, { 'content-length': 5000 }).write('PK', () => response.destroy());
      return true;
    },
  };
}

const cases: readonly Case[] = [
  { title: 'a 404 for a project', code: 'REGISTRY', exit: 6, files: [], names: /distribution of a .*simple/ },
  {
    title: 'a 404 for a file',
    code: 'REGISTRY',
    exit: 6,
    files: [A],
    options: answering(/files/, 404, ''),
    names: /a-1\.0-py3-none-any\.whl.*404/,
  },
  {
    title: 'a 500 for a page',
    code: 'REGISTRY',
    exit: 6,
    files: [A],
    options: answering(/simple/, 500, 'trouble'),
    names: /simple\/a\/.*500/,
  },
  {
    title: 'a password that is asked for',
    code: 'AUTHENTICATION',
    exit: 5,
    files: [A],
    options: { login: 'a:b' },
    names: /simple\/a\/.*401/,
  },
  {
    title: 'a page that is neither JSON nor HTML',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [A],
    options: answering(/simple/, 200, 'hello'),
    names: /simple\/a\//,
  },
  {
    title: 'a page that ends too early',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [A],
    options: answering(/simple/, 200, '{"meta": {}, "files": [{"filename": "a-1.0', 'application/json'),
    names: /simple\/a\//,
  },
  { title: 'a truncated page', code: 'NETWORK', exit: 6, files: [A], options: cut(/simple/), names: /127\.0\.0\.1/ },
  { title: 'a truncated download', code: 'NETWORK', exit: 6, files: [A], options: cut(/files/), names: /127\.0\.0\.1/ },
  {
    title: 'a file that does not have its digest',
    code: 'DIGEST_MISMATCH',
    exit: 7,
    files: [A],
    options: { ...answering(/files/, 200, wheel('a', '1.0', { requires: ['b'] }).bytes) },
    names: /a-1\.0-py3-none-any\.whl: expected sha256:[0-9a-f]{64}, got sha256:/,
  },
  {
    title: 'metadata that does not have its digest',
    code: 'DIGEST_MISMATCH',
    exit: 7,
    files: [A],
    options: { metadata: true, ...answering(/\.metadata$/, 200, metadataText('a', '1.0', { requires: ['b'] })) },
    names: /a-1\.0-py3-none-any\.whl\.metadata/,
  },
  {
    title: 'a wheel that is not a zip',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [{ ...A, bytes: Buffer.from('<html>sign in</html>') }],
    names: /a-1\.0-py3-none-any\.whl/,
  },
  {
    title: 'a wheel that is cut off, with the digest of what is left',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [{ ...A, bytes: A.bytes.subarray(0, 200) }],
    names: /a-1\.0-py3-none-any\.whl/,
  },
  {
    title: 'a wheel with ..',
    code: 'INPUT_REFUSED',
    exit: 3,
    files: [wheel('a', '1.0', { files: { '../../etc/profile': '' } })],
    names: /a-1\.0-py3-none-any\.whl.*\.\.\/etc/,
  },
  {
    title: 'a wheel without METADATA',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [{ ...A, bytes: Buffer.from(zipSync({ 'a/x': new Uint8Array(9) })) }],
    names: /a-1\.0-py3-none-any\.whl/,
  },
  {
    title: 'METADATA of another project',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [wheel('a', '1.0', { metadata: metadataText('b', '1.0') })],
    names: /a-1\.0-py3-none-any\.whl.*b 1\.0/,
  },
  {
    title: 'METADATA that cannot be read',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [wheel('a', '1.0', { metadata: Buffer.from(metadataText('a', '1.0'), 'utf16le') })],
    names: /a-1\.0-py3-none-any\.whl/,
  },
  {
    title: 'a requirement in METADATA that cannot be read',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [wheel('a', '1.0', { requires: ['b >= nothing'] })],
    names: /"b >= nothing" of a-1\.0-py3-none-any\.whl/,
  },
  {
    title: 'an sdist that does not tell what it requires',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [sdist('a', '1.0')],
    names: /a-1\.0\.tar\.gz/,
  },
  {
    title: 'an sdist that is no archive',
    code: 'INPUT_MALFORMED',
    exit: 3,
    files: [{ ...sdist('a', '1.0'), bytes: Buffer.from('<html>') }],
    names: /a-1\.0\.tar\.gz/,
  },
  {
    title: 'a project of which all is yanked',
    code: 'INPUT_ABSENT',
    exit: 3,
    files: [wheel('a', '1.0', { yanked: 'broken' })],
    names: /no file of a/,
  },
];

async function outcome(t: TestContext, { files, options }: Case): Promise<{ error: unknown; cacheFolder: string }> {
  const double = await startIndex(t, files, options);
  const { index, cacheFolder } = openPlaces(t, { indexes: [double.url] });
  const error = await resolveWorkingSet(wanted(['a']), index).then(
    (set) => new Error(`resolved to ${names(set).join()}`),
    (thrown: unknown) => thrown,
  );
  return { error, cacheFolder };
}

describe('an index in trouble', () => {
  for (const one of cases)
    it(`${one.title}: ${one.code}`, async (t) => {
      const { error, cacheFolder } = await outcome(t, one);
      hasCode(one.code)(error);
      assert.ok(error instanceof Error && 'exitCode' in error);
      assert.equal(error.exitCode, one.exit);
      assert.match(error.message, one.names);
      // Nothing half-written stays.
      const left = existsSync(cacheFolder) ? readdirSync(cacheFolder, { recursive: true, encoding: 'utf8' }) : [];
      assert.deepEqual(
        left.filter((name) => name.endsWith('.tmp')),
        [],
      );
    });
});

describe('what is odd, and works', () => {
  it('HTML for JSON, METADATA in Latin-1, a cycle', async (t) => {
    const latin = Buffer.from(
      metadataText('b', '1.0', { requires: ['a'] }).replace('Name:', 'Author: J\u00e4rvi\nName:'),
      'latin1',
    );
    const files = [wheel('a', '1.0', { requires: ['b'] }), wheel('b', '1.0', { metadata: latin })];
    const double = await startIndex(t, files, { html: true });
    const { index } = openPlaces(t, { indexes: [double.url] });
    assert.deepEqual(names(await resolveWorkingSet(wanted(['a']), index)), ['a 1.0', 'b 1.0']);
  });

  it('a broken file of a version that nobody wants', async (t) => {
    const old = { ...wheel('a', '0.1'), bytes: Buffer.from('no zip') };
    const { index } = openPlaces(t, { findLinks: [wheelhouse(t, [A, old])] });
    assert.deepEqual(names(await resolveWorkingSet(wanted(['a']), index)), ['a 1.0']);
  });
});
