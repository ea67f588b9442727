import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, problem } from '../support/fault-registry.ts';
import { isError, push, withLogin } from './expect.ts';
import { challenge, start } from './faulty.ts';
import { imageOf, sampleImage } from './sample.ts';

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
      { status: 302, headers: { location: '/elsewhere' } },
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
      assert.ok(registry.exchanges.every(({ path }) => path !== '/elsewhere'));
    }
  });
});
