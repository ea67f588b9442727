import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { appendQuery, type DirectionKind, resolveDestination } from '../../src/registry/destination.ts';
import { isLoopback } from '../../src/http/host.ts';
import { isRedirect } from '../../src/http/redirect.ts';
import { nextRequest } from '../../src/registry/redirect.ts';
import { registryOrigin } from '../../src/registry/scheme.ts';
import { isError } from './expect.ts';

const HTTPS = 'https://registry.example.org/v2/a/blobs/uploads/';
const LOOPBACK = 'http://127.0.0.1:5000/v2/';

const ALLOWED: readonly (readonly [string, string, string])[] = [
  [HTTPS, '/v2/x?_state=a%3Db', 'https://registry.example.org/v2/x?_state=a%3Db'],
  [HTTPS, 'uuid', 'https://registry.example.org/v2/a/blobs/uploads/uuid'],
  [HTTPS, '?x', 'https://registry.example.org/v2/a/blobs/uploads/?x'],
  [HTTPS, '//other.example.org/x', 'https://other.example.org/x'],
  [HTTPS, 'https://storage.example.org:8443/x', 'https://storage.example.org:8443/x'],
  // Private addresses are where a company's storage may be.
  [HTTPS, 'https://10.0.0.7/x', 'https://10.0.0.7/x'],
  [LOOPBACK, 'http://127.0.0.1:5001/token', 'http://127.0.0.1:5001/token'],
  [LOOPBACK, 'http://localhost:5001/token', 'http://localhost:5001/token'],
  [LOOPBACK, 'https://tokens.example.org/', 'https://tokens.example.org/'],
  // Its own scheme, host and port are always a registry's right, wherever the user found it.
  ['http://169.254.1.1:5000/', '/token', 'http://169.254.1.1:5000/token'],
];

const REFUSED: readonly (readonly [string, string])[] = [
  [HTTPS, 'http://registry.example.org/v2/x'],
  [HTTPS, 'http://127.0.0.1/x'],
  [HTTPS, 'https://127.0.0.1/x'],
  [HTTPS, 'https://localhost/x'],
  [HTTPS, 'https://a.localhost./x'],
  [HTTPS, 'https://[::1]/x'],
  [HTTPS, 'https://[::ffff:127.0.0.1]/x'],
  [HTTPS, 'https://169.254.169.254/latest/meta-data'],
  [HTTPS, 'https://0xa9fea9fe/latest/meta-data'],
  [HTTPS, 'https://[::ffff:169.254.169.254]/'],
  [HTTPS, 'https://[fe80::1]/'],
  [HTTPS, 'https://[fd00:ec2::254]/'],
  [HTTPS, 'https://metadata.google.internal/'],
  [HTTPS, 'https://0.0.0.0/'],
  [HTTPS, 'https://[::]/'],
  [HTTPS, 'file:///etc/passwd'],
  [HTTPS, 'ftp://registry.example.org/'],
  [HTTPS, 'javascript:alert(1)'],
  [HTTPS, 'https://user@registry.example.org/'],
  [HTTPS, 'https://:password@registry.example.org/'],
  [HTTPS, 'https://['],
  [LOOPBACK, 'http://registry.example.org/'],
  [LOOPBACK, 'http://169.254.169.254/'],
  [LOOPBACK, 'http://127.0.0.1.example.org/'],
  [LOOPBACK, 'http://localhost.example.org/'],
];

describe('resolveDestination', () => {
  const kinds: readonly DirectionKind[] = ['redirect', 'upload location', 'token realm'];
  for (const kind of kinds) {
    it(`follows a ${kind} where it may lead`, () => {
      for (const [from, target, expected] of ALLOWED)
        assert.equal(resolveDestination(kind, new URL(from), target, []).href, expected);
    });
    it(`refuses a ${kind} that leads elsewhere`, () => {
      for (const [from, target] of REFUSED)
        assert.throws(
          () => resolveDestination(kind, new URL(from), target, []),
          isError(kind === 'token realm' ? 'AUTHENTICATION' : 'REGISTRY'),
          target,
        );
    });
  }

  it('takes the user’s word for a host, but never leaves https for an upload or by a redirect', () => {
    const named = ['tokens.example.org:8080'];
    const target = 'http://tokens.example.org:8080/token';
    assert.equal(resolveDestination('token realm', new URL(HTTPS), target, named).href, target);
    assert.equal(resolveDestination('upload location', new URL(LOOPBACK), target, named).href, target);
    for (const kind of ['redirect', 'upload location'] as const)
      assert.throws(() => resolveDestination(kind, new URL(HTTPS), target, named), isError('REGISTRY', /proxy/));
  });
});

describe('appendQuery', () => {
  it('leaves what is there as it is', () => {
    const table = [
      ['http://h/p', 'http://h/p?digest=sha256%3Aab'],
      ['http://h/p?', 'http://h/p?digest=sha256%3Aab'],
      ['http://h/p?a=%3D+%20&a&b==', 'http://h/p?a=%3D+%20&a&b==&digest=sha256%3Aab'],
      ['http://h/p?a=1&', 'http://h/p?a=1&&digest=sha256%3Aab'],
    ] as const;
    for (const [url, expected] of table)
      assert.equal(appendQuery(new URL(url), [['digest', 'sha256:ab']]).href, expected);
    assert.equal(appendQuery(new URL('http://h/?x'), []).href, 'http://h/?x');
  });
});

describe('redirects', () => {
  it('keep the method or are answers', () => {
    const followed = ['GET', 'HEAD', 'PUT', 'POST'] as const;
    const table = [301, 302, 303, 304, 307, 308].map((status) => [
      status,
      followed.filter((method) => isRedirect(status, method)),
    ]);
    assert.deepEqual(table, [
      [301, ['GET', 'HEAD']],
      [302, ['GET', 'HEAD']],
      [303, ['GET', 'HEAD']],
      [304, []],
      [307, followed],
      [308, followed],
    ]);
  });

  it('take Authorization to the same scheme, host and port alone', () => {
    const headers = { authorization: 'Bearer t', accept: 'a' };
    const from = { method: 'GET', url: new URL('https://example.org/a'), headers } as const;
    const to = (location: string): string | undefined =>
      nextRequest(from, { headers: { location } }, []).headers?.['authorization'];
    assert.equal(to('/b'), 'Bearer t');
    assert.equal(to('https://example.org:443/b'), 'Bearer t');
    assert.equal(to('https://example.org:444/b'), undefined);
    assert.equal(to('https://cdn.example.org/b'), undefined);
    assert.throws(() => to('http://example.org/b'), isError('REGISTRY'));
    assert.throws(() => nextRequest(from, { headers: {} }, []), isError('REGISTRY'));
  });
});

describe('registryOrigin', () => {
  it('speaks http to loopback names and to exactly what was named', () => {
    const insecure = ['plain.example.org', 'Port.example.org:5000', '[fd00::1]:5000'];
    const table = [
      ['localhost', 'http://localhost'],
      ['LOCALHOST:5000', 'http://localhost:5000'],
      ['a.localhost:80', 'http://a.localhost'],
      ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
      ['127.8.9.1', 'http://127.8.9.1'],
      ['[::1]:5000', 'http://[::1]:5000'],
      ['docker.io', 'https://registry-1.docker.io'],
      ['example.org', 'https://example.org'],
      ['localhost.example.org', 'https://localhost.example.org'],
      ['127.0.0.1.example.org', 'https://127.0.0.1.example.org'],
      ['10.0.0.1:5000', 'https://10.0.0.1:5000'],
      ['plain.example.org', 'http://plain.example.org'],
      ['plain.example.org:5000', 'https://plain.example.org:5000'],
      ['x.plain.example.org', 'https://x.plain.example.org'],
      ['port.example.org:5000', 'http://port.example.org:5000'],
      ['port.example.org', 'https://port.example.org'],
      ['[FD00::1]:5000', 'http://[fd00::1]:5000'],
    ] as const;
    for (const [registry, origin] of table) assert.equal(registryOrigin(registry, insecure).origin, origin);
  });

  it('says USAGE for what is no host', () => {
    assert.throws(() => registryOrigin('example.org:99999', []), isError('USAGE'));
    assert.throws(() => registryOrigin('[:::]', []), isError('USAGE'));
    assert.throws(() => registryOrigin('example.org', ['http://example.org']), isError('USAGE'));
  });

  it('knows loopback names', () => {
    for (const name of ['localhost', 'x.localhost', 'localhost.', '127.0.0.1', '127.255.0.3', '[::1]', '::1'])
      assert.ok(isLoopback(name), name);
    for (const name of ['localhost.org', 'notlocalhost', '128.0.0.1', '[::2]', '0.0.0.0', ''])
      assert.ok(!isLoopback(name), name);
  });
});
