import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import { networkError } from '../../src/http/network-error.ts';
import { answerError } from '../../src/registry/registry-error.ts';
import { withRetries } from '../../src/registry/retry.ts';
import { isPassingStatus, retryWait } from '../../src/http/retry-timing.ts';
import { isError } from './expect.ts';

const url = new URL('https://registry.example.org/v2/');

function answer(status: number, headers: Readonly<Record<string, string>> = {}): OciPloneError {
  return answerError('trying', { status, headers, url, body: new Uint8Array(), truncated: false });
}

function broken(code: string): OciPloneError {
  return networkError(url, Object.assign(new Error('x'), { code }));
}

/** The code that an answer with these error codes leads to. */
function said(...codes: readonly string[]): string {
  const body = Buffer.from(JSON.stringify({ errors: codes.map((code) => ({ code })) }));
  return answerError('trying', { status: 400, headers: {}, url, body, truncated: false }).code;
}

/** Fails with each error in turn, then succeeds; gives the waits and what was noted. */
async function attempt(...errors: readonly Error[]): Promise<{ waits: number[]; notes: string[] }> {
  const [waits, notes]: [number[], string[]] = [[], []];
  const rest = [...errors];
  await withRetries(
    async () => {
      const error = rest.shift();
      if (error !== undefined) throw error;
    },
    {
      pause: async (milliseconds) => void waits.push(milliseconds),
      onProgress: (event) => event.kind === 'note' && notes.push(event.text),
    },
  );
  return { waits, notes };
}

describe('retryWait', () => {
  it('doubles up to a limit, and gives up', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((failed) => retryWait(failed, null, 1)),
      [500, 1000, 2000, null],
    );
    assert.equal(retryWait(1, null, 0), 0);
  });
  it('waits as long as it is asked to, up to a limit', () => {
    assert.equal(retryWait(1, 3000, 0.5), 3000);
    assert.equal(retryWait(1, 3_600_000, 0.5), 30_000);
    assert.equal(retryWait(2, 0, 1), 1000);
  });
  it('knows which statuses pass', () => {
    const passing = [200, 400, 401, 403, 404, 405, 408, 413, 416, 429, 500, 501, 502, 503, 504].filter(isPassingStatus);
    assert.deepEqual(passing, [408, 429, 500, 502, 503, 504]);
  });
});

describe('answerError', () => {
  it('takes DIGEST_INVALID for a mismatch only where nothing else is wrong', () => {
    assert.equal(said('DIGEST_INVALID'), 'DIGEST_MISMATCH');
    assert.equal(said('DIGEST_INVALID', 'MANIFEST_BLOB_UNKNOWN'), 'REGISTRY');
    assert.equal(said(), 'REGISTRY');
  });
});

describe('withRetries', () => {
  it('tries three times more after what may pass', async () => {
    assert.equal((await attempt(answer(500), broken('ECONNRESET'), broken('UND_ERR_SOCKET'))).waits.length, 3);
    await assert.rejects(attempt(...[1, 2, 3, 4].map(() => answer(500))), isError('REGISTRY'));
    await assert.rejects(attempt(...[1, 2, 3, 4].map(() => broken('EPIPE'))), isError('NETWORK'));
  });

  it('does not repeat what will not pass', async () => {
    const bug = new TypeError('a bug');
    for (const error of [
      answer(400),
      answer(401),
      answer(403),
      answer(413),
      broken('ECONNREFUSED'),
      broken('ENOTFOUND'),
      broken('CERT_HAS_EXPIRED'),
      new OciPloneError('DIGEST_MISMATCH', 'x'),
      new OciPloneError('ABORTED', 'x'),
      bug,
    ])
      await assert.rejects(attempt(error), (thrown) => thrown === error);
  });

  it('reads Retry-After as seconds and as a date, and says so where it is long', async () => {
    const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
    const table = [
      [{ 'retry-after': '7' }, 7000],
      [{ 'retry-after': '3600' }, 30_000],
      [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:09 GMT', date }, 9000],
    ] as const;
    for (const [headers, expected] of table) {
      const { waits, notes } = await attempt(answer(429, headers));
      assert.deepEqual(waits, [expected]);
      assert.equal(notes.length, 1);
    }
    for (const headers of [{ 'retry-after': 'soon' }, { 'retry-after': date }, { 'retry-after': date, date }, {}]) {
      const { waits, notes } = await attempt(answer(429, headers));
      assert.ok(waits.length === 1 && (waits[0] ?? 0) <= 500);
      assert.deepEqual(notes, []);
    }
  });
});
