import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { type TestContext, describe, it } from 'node:test';
import { listen, startFaultRegistry } from '../support/fault-registry.ts';
import { isError, push } from './expect.ts';
import { imageOf, sampleImage } from './sample.ts';

/** A proxy on 127.0.0.1 whose every tunnel ends at one registry, whatever it was asked for. Nothing leaves the machine. */
async function startProxy(t: TestContext, registry: string): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    const upstream = connect(Number(registry.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    t.after(() => upstream.destroy());
  });
  const host = await listen(server);
  t.after(() => server.close());
  return { url: `http://${host}`, asked };
}

describe('proxies and plain http', () => {
  it('speaks http to another host only where it was named, through the proxy of the environment', async (t) => {
    const registry = await startFaultRegistry();
    t.after(() => registry.stop());
    const proxy = await startProxy(t, registry.host);
    const url = proxy.url.replace('http://', 'http://user:pass@');
    const env = { HTTP_PROXY: url, HTTPS_PROXY: url };
    const reference = ['registry.test:5000/plone'];
    await push(sampleImage('proxy'), reference, { env, insecure: ['Registry.test:5000'] });
    assert.ok(registry.manifests.has('plone:latest'));
    assert.ok(
      proxy.asked.every((line) => line === 'registry.test:5000 Basic dXNlcjpwYXNz'),
      proxy.asked.join('\n'),
    );

    for (const insecure of [[], ['registry.test'], ['test:5000'], ['registry.test:50000']])
      await assert.rejects(
        push(sampleImage('tls'), reference, { env, insecure }),
        isError('NETWORK', /--insecure-registry registry\.test:5000/),
      );
  });

  it('asks no proxy for a loopback name, and asks it for any other', async (t) => {
    const registry = await startFaultRegistry();
    t.after(() => registry.stop());
    const env = { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' };
    await push(imageOf([]), [`${registry.host}/plone`], { env, insecure: [] });
    await assert.rejects(push(imageOf([]), ['registry.test/plone'], { env, insecure: [] }), isError('NETWORK'));
  });

  it('says USAGE for a proxy that is none, without its password', async () => {
    const env = { HTTPS_PROXY: 'user:secret@proxy:3128' };
    await assert.rejects(push(imageOf([]), ['registry.test/plone'], { env, insecure: [] }), (error) => {
      isError('USAGE', /HTTPS_PROXY/)(error);
      return !String(error).includes('secret');
    });
  });
});
