import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import type { Credentials } from '../../src/registry/auth-file.ts';
import { findCredentials } from '../../src/registry/credentials.ts';
import { isError } from './expect.ts';

const HOST = 'registry.example.org:5000';

function login(username: string, password = 'x'): { auth: string } {
  return { auth: Buffer.from(`${username}:${password}`).toString('base64') };
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'oci-plone-spec-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function write(path: string, content: object | string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** What DOCKER_AUTH_CONFIG with these `auths` gives, as `username secret`. */
async function inline(auths: object, registry = HOST, repository = 'team/plone/site'): Promise<string | null> {
  const found = await findCredentials(registry, repository, { env: { DOCKER_AUTH_CONFIG: JSON.stringify({ auths }) } });
  return found === null ? null : `${found.username} ${found.secret}`;
}

describe('auths', () => {
  it('match hosts exactly, and the longest path wins', async () => {
    const table: readonly (readonly [string, object, string | null])[] = [
      ['the host', { [HOST]: login('a') }, 'a x'],
      ['no case', { 'Registry.Example.ORG:5000': login('a') }, 'a x'],
      ['a URL', { [`https://${HOST}/v1/`]: login('a') }, 'a x'],
      ['a URL without a path', { [`http://${HOST}`]: login('a') }, 'a x'],
      ['another port', { 'registry.example.org': login('a'), 'registry.example.org:500': login('b') }, null],
      ['a longer host', { [`my.${HOST}`]: login('a'), [`${HOST}0`]: login('b'), [`x${HOST}`]: login('c') }, null],
      ['a part of the host', { 'example.org:5000': login('a'), org: login('b'), '': login('c') }, null],
      [
        'the host in a path',
        { [`https://evil.example/${HOST}`]: login('a'), [`evil.example/${HOST}`]: login('b') },
        null,
      ],
      ['paths', { [HOST]: login('a'), [`${HOST}/team`]: login('b'), [`${HOST}/team/plone`]: login('c') }, 'c x'],
      ['a whole path', { [`${HOST}/team`]: login('b'), [`${HOST}/team/plone/site`]: login('d') }, 'd x'],
      ['a path of another', { [`${HOST}/te`]: login('b'), [`${HOST}/team/plon`]: login('c') }, null],
      ['an empty entry before a full one', { [`${HOST}/team`]: {}, [HOST]: login('a') }, 'a x'],
      ['no entry', {}, null],
      ['what is no entry', { [HOST]: null }, null],
    ];
    for (const [what, auths, expected] of table) assert.equal(await inline(auths), expected, what);
  });

  it('know Docker Hub by its old names', async () => {
    for (const key of ['docker.io', 'https://index.docker.io/v1/', 'index.docker.io'])
      assert.equal(await inline({ [key]: login('hub') }, 'docker.io'), 'hub x', key);
    assert.equal(await inline({ 'docker.io/team': login('hub') }, 'docker.io'), 'hub x');
    assert.equal(await inline({ 'notdocker.io': login('hub') }, 'docker.io'), null);
  });

  it('take every form that tools write', async () => {
    const token = { auth: Buffer.from('00000000-0000-0000-0000-000000000000:').toString('base64'), identitytoken: 't' };
    const table: readonly (readonly [object, string | null])[] = [
      [login('user', 'a:b:c'), 'user a:b:c'],
      [login('user', 'pässwörd'), 'user pässwörd'],
      [{ auth: Buffer.from('user:nul\0').toString('base64') }, 'user nul'],
      [{ username: 'user', password: 'plain' }, 'user plain'],
      [{ auth: '', username: 'user', password: 'plain' }, 'user plain'],
      [token, '00000000-0000-0000-0000-000000000000 t'],
      [{ identitytoken: 't' }, ' t'],
      [{ email: 'user@example.org' }, null],
    ];
    for (const [entry, expected] of table) assert.equal(await inline({ [HOST]: entry }), expected);
    const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [HOST]: token } }) };
    assert.equal((await findCredentials(HOST, 'a', { env }))?.kind, 'identity token');
  });

  it('say INPUT_MALFORMED, and nothing of what stands there', async () => {
    for (const text of ['{"auths":{"h":{"auth":"c2VjcmV0', '[]', '7', '{"auths":["secret"]}', '{"auths":"c2VjcmV0"}'])
      await assert.rejects(findCredentials(HOST, 'a', { env: { DOCKER_AUTH_CONFIG: text } }), (error) => {
        isError('INPUT_MALFORMED')(error);
        assert.doesNotMatch(error instanceof Error ? `${error.message} ${String(error.cause)}` : '', /secret|c2Vjc/);
        return true;
      });
    await assert.rejects(inline({ [HOST]: { auth: 'bm8gY29sb24=' } }), isError('INPUT_MALFORMED'));
  });
});

describe('the places of credentials', () => {
  it('are asked in the documented order', async (t) => {
    const folder = await temporary(t);
    const at = (...parts: string[]): string => join(folder, ...parts);
    const env = {
      HOME: at('home'),
      XDG_RUNTIME_DIR: at('run'),
      XDG_CONFIG_HOME: at('config'),
      DOCKER_CONFIG: at('docker'),
      REGISTRY_AUTH_FILE: at('explicit.json'),
      DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [HOST]: login('inline') } }),
    };
    const file = (name: string): object => ({ auths: { [HOST]: login(name) } });
    await write(env.REGISTRY_AUTH_FILE, file('explicit'));
    await write(at('run/containers/auth.json'), file('runtime'));
    await write(at('config/containers/auth.json'), file('config'));
    await write(at('docker/config.json'), file('docker'));
    await write(at('home/.config/containers/auth.json'), file('home config'));
    await write(at('home/.docker/config.json'), file('home docker'));

    const found = async (changes: Record<string, string | undefined>): Promise<string | undefined> =>
      (await findCredentials(HOST, 'a', { env: { ...env, ...changes } }))?.username;
    const off = { REGISTRY_AUTH_FILE: undefined, DOCKER_AUTH_CONFIG: '' };
    assert.equal(await found({}), 'explicit');
    assert.equal(await found({ REGISTRY_AUTH_FILE: '' }), 'inline');
    assert.equal(await found(off), 'runtime');
    const noRuntime = { ...off, XDG_RUNTIME_DIR: at('none') };
    assert.equal(await found(noRuntime), 'config');
    assert.equal(await found({ ...noRuntime, XDG_CONFIG_HOME: undefined }), 'home config');
    const noConfig = { ...noRuntime, XDG_CONFIG_HOME: at('none') };
    assert.equal(await found(noConfig), 'docker');
    assert.equal(await found({ ...noConfig, DOCKER_CONFIG: '' }), 'home docker');
    assert.equal(await found({ ...noConfig, DOCKER_CONFIG: at('none') }), undefined);
  });

  it('do not include a file that was named and is not there', async (t) => {
    const env = { REGISTRY_AUTH_FILE: join(await temporary(t), 'auth.json') };
    await assert.rejects(findCredentials(HOST, 'a', { env }), isError('INPUT_ABSENT'));
  });
});

/** A folder with a docker-credential-NAME that runs a few lines of shell. */
async function helper(t: TestContext, name: string, script: string): Promise<string> {
  const folder = await temporary(t);
  const path = join(folder, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${folder}:/usr/bin:/bin`;
}

function find(PATH: string, config: object, registry = HOST, signal?: AbortSignal): Promise<Credentials | null> {
  const env = { PATH, DOCKER_AUTH_CONFIG: JSON.stringify(config) };
  return findCredentials(registry, 'team/plone', { env, signal });
}

describe('credential helpers', () => {
  const echo = 'read -r server; printf \'{"ServerURL":"%s","Username":"%s","Secret":"s"}\' "$server" "$1 $server"';

  it('are asked for the host, never for a path', async (t) => {
    const path = await helper(t, 'spec', echo);
    const found = await find(path, { credHelpers: { [HOST]: 'spec' }, auths: { [`${HOST}/team`]: login('file') } });
    assert.deepEqual(found, { kind: 'password', username: `get ${HOST}`, secret: 's' });
    const hub = await find(path, { credsStore: 'spec' }, 'docker.io');
    assert.equal(hub?.username, 'get https://index.docker.io/v1/');
  });

  it('are chosen by host before the store, and do not hide auths where they know nothing', async (t) => {
    const path = await helper(t, 'spec', 'echo "credentials not found in native keychain"; exit 1');
    const auths = { [HOST]: login('file') };
    assert.equal((await find(path, { credsStore: 'spec', auths }))?.username, 'file');
    assert.equal(await find(path, { credHelpers: { [HOST]: 'spec' }, credsStore: 'absent' }), null);
    assert.equal((await find(path, { credHelpers: { [`x${HOST}`]: 'absent' }, auths }))?.username, 'file');
  });

  it('give an identity token by the name <token>', async (t) => {
    const path = await helper(t, 'spec', `echo '{"Username":"<token>","Secret":"t"}'`);
    assert.equal((await find(path, { credsStore: 'spec' }))?.kind, 'identity token');
  });

  it('say AUTHENTICATION where they fail, and nothing of what they printed', async (t) => {
    for (const script of [
      'echo secret; exit 1',
      'echo secret',
      `echo '"secret"'`,
      `echo '{"Username":7,"Secret":"secret"}'`,
      'echo secret >&2; kill -9 $$',
    ])
      await assert.rejects(find(await helper(t, 'spec', script), { credsStore: 'spec' }), (error) => {
        isError('AUTHENTICATION', /docker-credential-spec/)(error);
        assert.ok(error instanceof Error && !error.message.includes('secret') && error.cause === undefined);
        return true;
      });
    await assert.rejects(find('/nowhere', { credsStore: 'absent' }), isError('AUTHENTICATION', /not installed/));
    for (const name of ['../evil', 'a/b', '-x', 'a b', 'a;b'])
      await assert.rejects(find('/nowhere', { credsStore: name }), isError('AUTHENTICATION', /not a name/));
  });

  it('end with the signal', async (t) => {
    const path = await helper(t, 'spec', 'exec sleep 600');
    const stop = new AbortController();
    const asked = find(path, { credsStore: 'spec' }, HOST, stop.signal);
    setImmediate(() => stop.abort());
    await assert.rejects(asked, isError('ABORTED'));
  });
});
