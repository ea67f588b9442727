import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { withNetwork } from '../../src/project/network.ts';
import type { ReadOptions } from '../../src/buildout/read.ts';
import type { Buildout } from '../../src/buildout/buildout.ts';
import { hasCode } from '../support/codes.ts';
import { type Lab, lab, serve } from './lab.ts';

/** Reads with the client that the program has. */
async function read(place: Lab, text: string, options: Partial<ReadOptions> = {}): Promise<Buildout> {
  const env = { HOME: place.path('home'), PIP_CONFIG_FILE: '/dev/null' };
  return withNetwork(env, async (get) => place.read(text, { get, ...options }));
}

const BASE = '[buildout]\nextends = versions/prod.cfg\n[a]\nx = base\ny = base\n';
const PROD = '[a]\nx = prod\nz = prod\n';

describe('extends over HTTP', () => {
  it('is relative to the address of the file that says it, which is the origin of its values', async () => {
    using place = lab();
    await using server = await serve({ '/r/base.cfg': BASE, '/r/versions/prod.cfg': PROD });
    const buildout = await read(place, `[buildout]\nextends = ${server.url}/r/base.cfg\n[a]\ny = own\n`);
    assert.deepEqual(
      ['x', 'y', 'z'].map((name) => buildout.get('a', name)),
      ['base', 'own', 'prod'],
    );
    assert.deepEqual(buildout.origin('a', 'z'), [{ file: `${server.url}/r/versions/prod.cfg`, line: 3 }]);
  });

  it('sends a user and password of the address, and shows them to nobody', async () => {
    using place = lab();
    await using server = await serve({ '/base.cfg': '[a]\nx = 1\n' });
    const address = server.url.replace('http://', 'http://user:unmistakable@');
    const buildout = await read(place, `[buildout]\nextends = ${address}/base.cfg\n`);
    assert.equal(buildout.get('a', 'x'), '1');
    assert.doesNotMatch(JSON.stringify(buildout.origin('a', 'x')), /unmistakable/);
    await assert.rejects(read(place, `[buildout]\nextends = ${address}/none.cfg\n`), (error) => {
      assert.doesNotMatch(String(error), /unmistakable/);
      return hasCode('REGISTRY')(error);
    });
  });

  it('fails for a 404, a circle, a web page, and an address of another kind', async () => {
    using place = lab();
    await using server = await serve({
      '/circle.cfg': '[buildout]\nextends = circle.cfg\n',
      '/page.cfg': '<!doctype html><html></html>',
    });
    const failures = {
      '/none.cfg': 'REGISTRY',
      '/circle.cfg': 'INPUT_MALFORMED',
      '/page.cfg': 'INPUT_MALFORMED',
    } as const;
    for (const [path, code] of Object.entries(failures))
      await assert.rejects(read(place, `[buildout]\nextends = ${server.url}${path}\n`), hasCode(code), path);
    await assert.rejects(read(place, '[buildout]\nextends = ftp://127.0.0.1/x.cfg\n'), hasCode('INPUT_MALFORMED'));
  });

  it('comes out of extends-cache offline, and where the server is gone', async () => {
    using place = lab();
    mkdirSync(place.path('cache'));
    let url = '';
    const text = (): string => `[buildout]\nextends-cache = ${place.path('cache')}\nextends = ${url}/base.cfg\n`;
    {
      await using server = await serve({ '/base.cfg': '[a]\nx = 1\n' });
      url = server.url;
      await assert.rejects(read(place, text(), { offline: true }), hasCode('INPUT_ABSENT'));
      assert.equal((await read(place, text())).get('a', 'x'), '1');
    }
    assert.equal(readdirSync(place.path('cache')).length, 1);
    for (const offline of [true, false]) assert.equal((await read(place, text(), { offline })).get('a', 'x'), '1');
  });

  it('is asked for once, however often it is extended', async () => {
    using place = lab({ 'a.cfg': '', 'b.cfg': '' });
    const seen: string[] = [];
    await using server = await serve({ '/base.cfg': '[a]\nx = 1\n' }, seen);
    for (const name of ['a.cfg', 'b.cfg']) place.write(name, `[buildout]\nextends = ${server.url}/base.cfg\n`);
    await read(place, '[buildout]\nextends = a.cfg b.cfg\n');
    assert.deepEqual(seen, ['/base.cfg']);
  });
});
