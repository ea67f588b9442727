import assert from 'node:assert/strict';
import { type TestContext, describe, it } from 'node:test';
import { missing } from '../support/fixtures.ts';
import { isError, push, withEntry, withLogin } from './expect.ts';
import { type RealRegistry, startRealRegistry } from './real-registry.ts';
import { sampleImage } from './sample.ts';
import { type TokenAsked, type TokenServer, type TokenServerOptions, startTokenServer } from './token-server.ts';

const SECRET = 'correct horse';
const BASIC = `Basic ${Buffer.from(`plone:${SECRET}`).toString('base64')}`;

function byPassword({ authorization }: TokenAsked): readonly string[] | null {
  if (authorization === null) return ['pull'];
  return authorization === BASIC ? ['push', 'pull'] : null;
}

async function start(
  t: TestContext,
  options: TokenServerOptions,
): Promise<{ registry: RealRegistry; tokens: TokenServer }> {
  const tokens = await startTokenServer(options);
  t.after(() => tokens.stop());
  const registry = await startRealRegistry(tokens.auth);
  t.after(() => registry.stop());
  return { registry, tokens };
}

describe('pushImage to a docker-registry with a token server', { skip: missing('docker-registry', 'openssl') }, () => {
  it('asks for one token for each repository, and keeps what the realm’s query says', async (t) => {
    const { registry, tokens } = await start(t, { grant: byPassword });
    const { host } = registry;
    const image = sampleImage('bearer');
    await push(image, [`${host}/a/one:1`, `${host}/a/one:2`, `${host}/two`], withLogin(host, 'plone', SECRET));
    assert.deepEqual(
      tokens.requests.map(({ method, query }) => [method, [...query]]),
      ['a/one', 'two'].map((name) => [
        'GET',
        [
          ['kept', '/as is'],
          ['service', 'registry of the specs'],
          ['scope', `repository:${name}:pull,push`],
          ['account', 'plone'],
        ],
      ]),
    );
  });

  it('changes an identity token for an access token by POST', async (t) => {
    const grant = ({ form }: TokenAsked): readonly string[] | null =>
      form.get('refresh_token') === SECRET && form.get('grant_type') === 'refresh_token' ? ['push', 'pull'] : null;
    const { registry, tokens } = await start(t, { grant });
    // As Azure's registry has it: a user name that is a zero GUID, and the token beside it.
    const auth = Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64');
    const { host } = registry;
    await push(sampleImage('oauth'), [`${host}/a`], withEntry(host, { auth, identitytoken: SECRET }));
    assert.deepEqual(
      tokens.requests.map(({ method, authorization }) => [method, authorization]),
      [['POST', null]],
    );
  });

  it('falls back to GET where the server knows no POST', async (t) => {
    const { registry, tokens } = await start(t, { grant: byPassword, knowsPost: false });
    const { host } = registry;
    const auth = Buffer.from('plone:').toString('base64');
    await push(sampleImage('get'), [`${host}/a`], withEntry(host, { auth, identitytoken: SECRET }));
    assert.deepEqual(
      tokens.requests.map(({ method }) => method),
      ['POST', 'GET'],
    );
  });

  it('says AUTHENTICATION for a wrong password, in the token server’s words', async (t) => {
    const { registry } = await start(t, { grant: byPassword });
    const login = withLogin(registry.host, 'plone', 'wrong');
    await assert.rejects(
      push(sampleImage('x'), [`${registry.host}/a`], login),
      isError('AUTHENTICATION', /incorrect username or password/),
    );
  });

  it('says AUTHENTICATION where the token allows no push, after one more token and no loop', async (t) => {
    const { registry, tokens } = await start(t, { grant: byPassword });
    await assert.rejects(push(sampleImage('x'), [`${registry.host}/a`]), isError('AUTHENTICATION', /docker login/));
    assert.ok(tokens.requests.every(({ authorization }) => authorization === null));
    // HEAD is allowed; the uploads run side by side, and each may find its token rejected once.
    assert.ok(tokens.requests.length <= 4, `${tokens.requests.length} tokens`);
  });

  it('fetches another token when the registry says that one has expired', async (t) => {
    // The first token is expired when it is made, though the server says otherwise: the registry's 401 tells.
    const { registry, tokens } = await start(t, {
      grant: byPassword,
      lifetime: (asked) => (asked === 1 ? -300 : 300),
    });
    const { host } = registry;
    await push(sampleImage('expired'), [`${host}/a`], withLogin(host, 'plone', SECRET));
    assert.equal(tokens.requests.length, 2);
  });
});
