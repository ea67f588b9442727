import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { type ErrorCode, OciPloneError } from '../../src/errors.ts';
import {
  type Answer,
  type Exchange,
  type Fault,
  type FaultRegistry,
  problem,
  startFaultRegistry,
} from '../support/fault-registry.ts';
import { anonymous, isError, push, withLogin } from './expect.ts';
import { blobOf, bytesNamed, imageOf, sampleImage } from './sample.ts';

async function start(t: TestContext, fault?: Fault): Promise<FaultRegistry> {
  const registry = await startFaultRegistry(fault);
  t.after(() => registry.stop());
  return registry;
}

function requests(registry: FaultRegistry, method: string): readonly Exchange[] {
  return registry.exchanges.filter((exchange) => exchange.method === method);
}

/** An answer to the n-th request that matches, counted from 1; null for all others. */
function once(method: string, path: RegExp, answer: Answer | 'reset', turn = 1): Fault {
  let seen = 0;
  return (request) => {
    if (request.method !== method || !path.test(request.url.pathname)) return null;
    seen += 1;
    return seen === turn ? answer : null;
  };
}

const BLOB_PUT = /\/blobs\/uploads\/./;
const challenge = (value: string | string[]): Answer => ({ status: 401, headers: { 'www-authenticate': value } });

describe('where an upload goes', () => {
  it('takes a relative Location, and keeps its query byte for byte', async (t) => {
    const query = '_state=a%3D%3d%20b+c&x=~%7E';
    const registry = await start(t, ({ method, url }) =>
      method === 'POST' ? { status: 202, headers: { location: `../uploads/${url.pathname.length}?${query}` } } : null,
    );
    const image = sampleImage('relative');
    await push(image, [`${registry.host}/plone`]);
    const puts = requests(registry, 'PUT').filter(({ path }) => path.includes('/blobs/'));
    assert.equal(puts.length, 3);
    for (const { path, status } of puts) {
      assert.equal(status, 201);
      assert.match(
        path,
        /^\/v2\/plone\/blobs\/uploads\/[0-9]+\?_state=a%3D%3d%20b\+c&x=~%7E&digest=sha256%3A[0-9a-f]{64}$/,
      );
    }
  });

  it('sends no credentials to another host, by Location or by redirect', async (t) => {
    for (const status of [202, 307, 308]) {
      const storage = await start(t);
      const registry = await start(t, ({ method, url, headers }) => {
        if (headers.authorization === undefined) return challenge('Basic realm="spec"');
        const location = `http://${storage.host}${url.pathname}/elsewhere`;
        if (status === 202) return method === 'POST' ? { status, headers: { location } } : null;
        return method === 'PUT' && url.pathname.includes('/blobs/')
          ? { status, headers: { location: `${location}${url.search}` } }
          : null;
      });
      // The registry itself has no blob, and says so when the manifest comes: that far it is enough.
      const login = withLogin(registry.host, 'plone', 'password');
      await assert.rejects(push(sampleImage(`${status}`), [`${registry.host}/plone`], login), isError('REGISTRY'));
      const there = requests(storage, 'PUT');
      assert.deepEqual(
        there.map(({ headers, status: answered }) => [headers.authorization, answered]),
        [1, 2, 3].map(() => [undefined, 201]),
      );
      assert.ok(registry.exchanges.filter(({ headers }) => headers.authorization !== undefined).length >= 6);
    }
  });

  it('does not answer the challenge of another host', async (t) => {
    const storage = await start(t, () => challenge('Basic realm="give me your password"'));
    const registry = await start(t, ({ method, headers }) => {
      if (headers.authorization === undefined) return challenge('Basic realm="spec"');
      return method === 'POST' ? { status: 202, headers: { location: `http://${storage.host}/upload` } } : null;
    });
    const login = withLogin(registry.host, 'plone', 'password');
    await assert.rejects(push(sampleImage('x'), [`${registry.host}/plone`], login), isError('AUTHENTICATION'));
    assert.ok(storage.exchanges.length > 0);
    assert.ok(storage.exchanges.every(({ headers }) => headers.authorization === undefined));
  });

  it('refuses a Location that leads where it must not, or is missing', async (t) => {
    for (const location of [
      undefined,
      'http://registry.example.org/v2/upload',
      'https://169.254.169.254/latest/meta-data',
      'http://user:password@127.0.0.1:1/',
      'file:///etc/passwd',
      'http://[',
    ]) {
      const registry = await start(t, ({ method }) =>
        method === 'POST' ? { status: 202, headers: location === undefined ? {} : { location } } : null,
      );
      await assert.rejects(push(sampleImage('x'), [`${registry.host}/plone`]), isError('REGISTRY'), location ?? 'none');
      assert.equal(requests(registry, 'PUT').length, 0);
    }
  });

  it('gives up on redirects that lead nowhere', async (t) => {
    const registry = await start(t, ({ method, url }) =>
      method === 'HEAD' ? { status: 307, headers: { location: `${url.pathname}x` } } : null,
    );
    await assert.rejects(push(imageOf([]), [`${registry.host}/plone`]), isError('REGISTRY', /redirects/));
    assert.equal(requests(registry, 'HEAD').length, 6);
  });

  it('takes 201 for an answer to POST as done', async (t) => {
    const registry = await start(t, ({ method }) => (method === 'POST' ? { status: 201 } : null));
    await assert.rejects(push(imageOf([]), [`${registry.host}/plone`]), isError('REGISTRY', /MANIFEST_BLOB_UNKNOWN/));
    assert.equal(requests(registry, 'PUT').length, 1);
  });
});

describe('who asks', () => {
  const refused: readonly (readonly [string, Answer])[] = [
    ['Basic over and over', challenge('Basic realm="spec"')],
    ['only what nobody here speaks', challenge('Negotiate')],
    ['nothing at all', { status: 401 }],
    ['nothing, with 403', problem(403, 'DENIED', 'quota exceeded')],
    ['a token from a foreign http host', challenge('Bearer realm="http://tokens.example.org/token"')],
    ['a token from a metadata service', challenge('Bearer realm="https://169.254.169.254/token"')],
    ['a token from a file', challenge('Bearer realm="file:///etc/passwd"')],
  ];
  for (const [what, answer] of refused)
    it(`says AUTHENTICATION to a registry that asks for ${what}`, async (t) => {
      const registry = await start(t, () => answer);
      const login = withLogin(registry.host, 'plone', 'password');
      await assert.rejects(push(sampleImage('x'), [`${registry.host}/plone`], login), isError('AUTHENTICATION'));
      assert.ok(registry.exchanges.length <= 5, `${registry.exchanges.length} requests`);
    });

  it('picks Basic out of several challenges', async (t) => {
    const registry = await start(t, ({ headers }) =>
      headers.authorization === undefined ? challenge(['Negotiate', 'NTLM, BASIC realm="a \\"b\\", c"']) : null,
    );
    await push(sampleImage('several'), [`${registry.host}/plone`], withLogin(registry.host, 'plone', 'password'));
  });

  it('answers a bare 401 by the challenge that came before it', async (t) => {
    let tokens = 0;
    const registry = await start(t, ({ url, headers }) => {
      // The realm is relative, and on the registry's own host and port.
      if (url.pathname === '/token')
        return { status: 200, body: JSON.stringify({ access_token: `t${(tokens += 1)}` }) };
      if (url.pathname === '/v2/') return challenge('Bearer realm="/token",service="spec"');
      return headers.authorization === 'Bearer t1' ? { status: 401 } : null;
    });
    await push(imageOf([]), [`${registry.host}/plone`]);
    assert.equal(tokens, 2);
  });

  it('never follows a token server’s redirect, and takes no token that is not one', async (t) => {
    for (const answer of [
      { status: 302, headers: { location: '/v2/' } },
      { status: 200, body: '{"token":"a\\r\\nb: c"}' },
      { status: 200, body: '{"token":7}' },
      { status: 200, body: '<html>' },
    ]) {
      const registry = await start(t, ({ url, headers }) => {
        if (url.pathname === '/token') return answer;
        return headers.authorization === undefined ? challenge('Bearer realm="/token"') : null;
      });
      await assert.rejects(push(sampleImage('x'), [`${registry.host}/plone`]), isError('REGISTRY'));
      assert.ok(registry.exchanges.every(({ headers }) => headers.authorization === undefined));
    }
  });
});

describe('what passes, and what does not', () => {
  const passing: readonly (readonly [string, Fault])[] = [
    ['a HEAD that fails', once('HEAD', /blobs/, { status: 500 })],
    ['a POST that is one too many', once('POST', /uploads/, { status: 429, headers: { 'retry-after': '0' } })],
    ['a blob’s connection that breaks', once('PUT', BLOB_PUT, 'reset')],
    ['a commit that the registry forgot', once('PUT', BLOB_PUT, problem(503, 'UNAVAILABLE', 'busy'))],
    ['a manifest’s connection that breaks', once('PUT', /manifests/, 'reset')],
    ['a ping that fails', once('GET', /^\/v2\/$/, { status: 502 })],
  ];
  for (const [what, fault] of passing)
    it(`tries again after ${what}`, async (t) => {
      const registry = await start(t, fault);
      const image = sampleImage('retry');
      await push(image, [`${registry.host}/plone`]);
      assert.ok(registry.manifests.has('plone:latest'));
    });

  it('sends a blob once more only where the registry does not have it', async (t) => {
    // The registry stores the blob and a proxy before it answers 504.
    const stored = await start(t);
    const image = imageOf([]);
    await push(image, [`${stored.host}/plone`]);
    let lost = false;
    const registry = await start(t, ({ method, url }) => {
      if (method === 'HEAD') return lost ? { status: 200 } : null;
      lost ||= method === 'PUT';
      if (method === 'PUT' && BLOB_PUT.test(url.pathname)) return { status: 504 };
      return method === 'PUT' ? { status: 201 } : null;
    });
    await push(image, [`${registry.host}/plone`]);
    assert.equal(requests(registry, 'PUT').length, 2);
  });

  const final: readonly (readonly [string, ErrorCode, RegExp, Fault])[] = [
    [
      'HTML with 405',
      'REGISTRY',
      /405: Not Allowed nginx/,
      ({ method }) => (method === 'POST' ? { status: 405, body: '<html><h1>Not Allowed</h1><hr>nginx</html>' } : null),
    ],
    ['413', 'REGISTRY', /limits/, ({ method }) => (method === 'PUT' ? { status: 413 } : null)],
    ['404 to the ping', 'REGISTRY', /host and the port/, () => ({ status: 404, body: 'nothing here' })],
    ['200 to everything', 'REGISTRY', /200/, () => ({ status: 200, body: '<html>Welcome!</html>' })],
    [
      'a blob’s digest that it did not get',
      'DIGEST_MISMATCH',
      /stored/,
      ({ method }) =>
        method === 'PUT' ? { status: 201, headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } } : null,
    ],
    [
      'a manifest’s digest that it did not get',
      'DIGEST_MISMATCH',
      /stored/,
      once('PUT', /manifests/, { status: 201, headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }),
    ],
    [
      'a digest that is none',
      'DIGEST_MISMATCH',
      /stored/,
      once('PUT', /manifests/, { status: 201, headers: { 'docker-content-digest': 'yes' } }),
    ],
    [
      'DIGEST_INVALID',
      'DIGEST_MISMATCH',
      /DIGEST_INVALID/,
      once('PUT', BLOB_PUT, problem(400, 'DIGEST_INVALID', 'provided digest did not match')),
    ],
    [
      'MANIFEST_INVALID',
      'REGISTRY',
      /MANIFEST_INVALID: no/,
      once('PUT', /manifests/, problem(400, 'MANIFEST_INVALID', 'no')),
    ],
    ['302 to an upload', 'REGISTRY', /302/, once('PUT', BLOB_PUT, { status: 302, headers: { location: '/' } })],
  ];
  for (const [what, code, saying, fault] of final)
    it(`says ${code} at once to ${what}`, async (t) => {
      const registry = await start(t, fault);
      const image = imageOf([blobOf(bytesNamed(what, 100))]);
      await assert.rejects(push(image, [`${registry.host}/plone`]), isError(code, saying));
      assert.equal(registry.manifests.size, 0);
    });

  it('shows the registry’s words on one line, cut, and without what steers a terminal', async (t) => {
    const words = `\u001b[2J\u202eevil\r\n${'x'.repeat(100_000)}`;
    const registry = await start(t, () => ({ status: 418, body: words }));
    await assert.rejects(push(imageOf([]), [`${registry.host}/plone`]), (error) => {
      assert.ok(error instanceof OciPloneError);
      assert.match(error.message, /evil x/);
      assert.ok(error.message.length < 500);
      assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u);
      return true;
    });
  });

  it('stops while it waits for an answer', async (t) => {
    const stop = new AbortController();
    const registry = await start(t, ({ method }) => {
      if (method === 'HEAD') stop.abort();
      return null;
    });
    const options = { ...anonymous, signal: stop.signal };
    await assert.rejects(push(sampleImage('x'), [`${registry.host}/plone`], options), isError('ABORTED'));
  });

  it('stops while it waits to try again', async (t) => {
    const stop = new AbortController();
    const registry = await start(t, () => ({ status: 429, headers: { 'retry-after': '3600' } }));
    const notes: string[] = [];
    const options = {
      ...anonymous,
      signal: stop.signal,
      onProgress: (event: { kind: string }) => {
        notes.push(event.kind);
        stop.abort();
      },
    };
    await assert.rejects(push(sampleImage('x'), [`${registry.host}/plone`], options), isError('ABORTED'));
    assert.deepEqual(notes, ['note']);
  });
});
