import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isError, push, withLogin } from './expect.ts';
import { challenge, requests, start } from './faulty.ts';
import { imageOf, sampleImage } from './sample.ts';

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
        // The registry takes the manifest's word for blobs that it does not have.
        if (url.pathname.includes('/manifests/')) return { status: 201 };
        const location = `http://${storage.host}${url.pathname}/elsewhere`;
        if (status === 202) return method === 'POST' ? { status, headers: { location } } : null;
        return method === 'PUT' && url.pathname.includes('/blobs/')
          ? { status, headers: { location: `${location}${url.search}` } }
          : null;
      });
      const login = withLogin(registry.host, 'plone', 'password');
      await push(sampleImage(`${status}`), [`${registry.host}/plone`], login);
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

  it('uploads a blob where HEAD is answered for another', async (t) => {
    for (const headers of [{ 'docker-content-digest': `sha256:${'0'.repeat(64)}` }, { 'content-length': 1 }]) {
      const registry = await start(t, ({ method }) => (method === 'HEAD' ? { status: 200, headers } : null));
      await push(imageOf([]), [`${registry.host}/plone`]);
      assert.ok(registry.manifests.has('plone:latest'));
    }
  });

  it('takes 201 for an answer to POST as done', async (t) => {
    const registry = await start(t, ({ method, url }) =>
      method === 'POST' || url.pathname.includes('/manifests/') ? { status: 201 } : null,
    );
    await push(imageOf([]), [`${registry.host}/plone`]);
    assert.equal(requests(registry, 'PUT').length, 1);
  });
});
