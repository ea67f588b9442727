import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { EXIT_CODES, OciPloneError, localError, redact, systemCode, throwIfAborted } from '../../src/errors.ts';

const SECRET = 'c2VjcmV0OnNlY3JldA==';

describe('redact', () => {
  it('takes secrets out', () => {
    const table = [
      [`https://user:${SECRET}@example.org/x`, 'https://***@example.org/x'],
      ['https://user:p@ss@example.org/x', 'https://***@example.org/x'],
      ['proxy http://token@proxy:3128 failed', 'proxy http://***@proxy:3128 failed'],
      ['https://h/x?_state=abc&digest=sha256:1', 'https://h/x?_state=***&digest=sha256:1'],
      [
        'https://h/x?scope=repository:a:pull&X-Amz-Signature=abc#f',
        'https://h/x?scope=repository:a:pull&X-Amz-Signature=***',
      ],
      [`Authorization: Basic ${SECRET}`, 'Authorization: Basic ***'],
      ['authorization: Basic YTpi', 'authorization: Basic ***'],
      [`"authorization":"Bearer a.b-c_d"`, '"authorization":"Bearer ***"'],
      [`sent Bearer eyJhbGciOi.eyJpc3MiOi.sig`, 'sent Bearer ***'],
      ['{"token":"a\\"b","expires_in":300}', '{"token":"***","expires_in":300}'],
      ['{"auths":{"h":{"auth" : "YTpi"}}}', '{"auths":{"h":{"auth" : "***"}}}'],
      ['{"Username":"u","Secret":"s"}', '{"Username":"u","Secret":"***"}'],
      ['refresh_token=abc&service=x', 'refresh_token=***&service=x'],
      ['access-tokens = github.com=abc', 'access-tokens = ***'],
    ] as const;
    for (const [text, expected] of table) assert.equal(redact(text), expected);
  });

  it('leaves everything else as it is', () => {
    for (const text of [
      '',
      'https://example.org:5000/v2/a/blobs/sha256:00?digest=sha256%3A00&n=1&last=b',
      'example.org/plone@sha256:00',
      'docker://example.org/a:b@sha256:00',
      'the registry asks for Basic authentication.',
      'Bearer credentials are missing',
      'mail to plone@example.org',
      '/nix/store/abc-x?y',
      'a = b & c = d',
    ])
      assert.equal(redact(text), text);
  });

  it('takes no time for a long text', () => {
    for (const part of ['a:', 'a.', 'http://', '://a', '?a', '&', 'basic ', 'authorization', '"auth":"', '\\"', '@'])
      redact(part.repeat(20_000));
  });
});

describe('OciPloneError', () => {
  it('redacts message, hint and cause when it is made', () => {
    const url = `https://user:${SECRET}@example.org`;
    const inner = Object.assign(new Error(`inner ${url}`), { code: 'ECONNRESET', url });
    const error = new OciPloneError('NETWORK', `asking ${url}`, {
      hint: `ask ${url}`,
      cause: new Error('outer', { cause: inner }),
    });
    assert.ok(!inspect(error, { depth: 9 }).includes(SECRET), inspect(error));
    assert.equal(systemCode(error.cause instanceof Error ? error.cause.cause : null), 'ECONNRESET');
    const text = new OciPloneError('NETWORK', 'x', { cause: url });
    assert.ok(!inspect(text).includes(SECRET));
  });

  it('keeps a cause that has nothing to hide', () => {
    const cause = Object.assign(new TypeError('x'), { code: 'EPIPE' });
    assert.equal(new OciPloneError('NETWORK', 'x', { cause }).cause, cause);
    assert.ok(!('cause' in new OciPloneError('NETWORK', 'x')));
  });

  it('has the exit codes of the README', () => {
    const codes = Object.values(EXIT_CODES);
    assert.deepEqual([...new Set(codes)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
    assert.equal(new OciPloneError('DIGEST_MISMATCH', 'x').exitCode, 7);
  });
});

describe('localError', () => {
  it('passes errors of this program on, and names the system’s', () => {
    const own = new OciPloneError('REGISTRY', 'x');
    assert.equal(localError('reading', own), own);
    const full = localError('writing a', Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' }));
    assert.equal(full.code, 'LOCAL_IO');
    assert.match(full.message, /^writing a: ENOSPC/);
    assert.notEqual(full.hint, '');
    const call = "ENOENT: no such file or directory, mkdtemp '/nowhere/.x-'";
    const absent = localError('writing a', Object.assign(new Error(call), { code: 'ENOENT' }));
    assert.equal(absent.message, 'writing a: no such file or directory (ENOENT)');
    assert.equal(localError('x', 'thrown').message, 'x: thrown');
    assert.equal(systemCode(full), 'LOCAL_IO');
  });
});

describe('throwIfAborted', () => {
  it('throws ABORTED once the signal fired', () => {
    const stop = new AbortController();
    throwIfAborted(undefined);
    throwIfAborted(stop.signal);
    stop.abort();
    assert.throws(
      () => throwIfAborted(stop.signal),
      (error) => error instanceof OciPloneError && error.code === 'ABORTED',
    );
  });
});
