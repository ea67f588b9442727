import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ErrorCode, OciPloneError } from '../../src/errors.ts';
import { type Fault, problem } from '../support/fault-registry.ts';
import { anonymous, isError, push } from './expect.ts';
import { BLOB_PUT, once, requests, start } from './faulty.ts';
import { blobOf, bytesNamed, imageOf, sampleImage } from './sample.ts';

describe('what passes, and what does not', () => {
  const passing: readonly (readonly [string, Fault])[] = [
    ['a HEAD that fails', once('HEAD', /blobs/, { status: 500 })],
    ['a POST that is one too many', once('POST', /uploads/, { status: 429, headers: { 'retry-after': '0' } })],
    ['a blob’s connection that breaks', once('PUT', BLOB_PUT, 'reset')],
    ['a commit that the registry forgot', once('PUT', BLOB_PUT, problem(503, 'UNAVAILABLE', 'busy'))],
    ['a manifest’s connection that breaks', once('PUT', /manifests/, 'reset')],
    [
      'a manifest whose blobs are not there yet',
      once('PUT', /manifests/, problem(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry')),
    ],
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
    const counts: (readonly [number, number])[] = [];
    await push(image, [`${registry.host}/plone`], {
      ...anonymous,
      onProgress: (event) => event.kind === 'push' && counts.push([event.bytes, event.total]),
    });
    assert.equal(requests(registry, 'PUT').length, 2);
    const total = image.manifest.size + (image.blobs[0]?.descriptor.size ?? 0);
    assert.deepEqual(counts.at(-1), [total, total]);
  });

  it('sends a blob again that the registry lost before the manifest came', async (t) => {
    let lost = true;
    const registry = await start(t, ({ method, url }) => {
      if (!lost || method !== 'PUT' || !BLOB_PUT.test(url.pathname)) return null;
      lost = false;
      return { status: 201 };
    });
    await push(imageOf([]), [`${registry.host}/plone`]);
    assert.ok(registry.manifests.has('plone:latest'));
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
      once('PUT', BLOB_PUT, { status: 201, headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } }),
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
