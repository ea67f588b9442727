import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, describe, it } from 'node:test';
import { defaultOfHelp, locateIndex, pipConfigFiles, pipDefaultIndex, readPipSettings } from '../../src/python/pip.ts';
import { pipSettings } from '../../src/python/pip-settings.ts';
import { hasCode } from '../support/codes.ts';
import { scratch } from '../support/scratch.ts';

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** A `python3` that answers as pip does. */
function fakePip(t: TestContext, script: string): Record<string, string> {
  const folder = scratch(t);
  chmodSync(write(join(folder, 'python3'), `#!/bin/sh\n${script}\n`), 0o755);
  return { PATH: folder, HOME: folder, PIP_CONFIG_FILE: '/dev/null' };
}

describe('pip’s settings', () => {
  it('come from files, the later over the earlier, and from the environment over all', () => {
    const weak =
      '[global]\nindex-url = https://weak.example.org/\ntimeout = 7\nproxy = http://proxy.example.org:3128\n';
    const strong = [
      '# a comment',
      '[global]',
      'index_url: https://global.example.org/simple',
      'extra-index-url =',
      '    https://one.example.org/',
      '    https://two.example.org/',
      'trusted-host = a.example.org b.example.org:81',
      'timeout =',
      '[install]',
      'no-index = yes',
      '; another',
      '--cert = /a.pem',
      '[freeze]',
      'client-cert = /not-for-install.pem',
    ].join('\r\n');
    assert.deepEqual(pipSettings([weak, strong], {}), {
      indexUrl: 'https://global.example.org/simple',
      extraIndexUrls: ['https://one.example.org/', 'https://two.example.org/'],
      findLinks: [],
      noIndex: true,
      cert: '/a.pem',
      clientCert: null,
      trustedHosts: ['a.example.org', 'b.example.org:81'],
      timeout: 7000,
      proxy: 'http://proxy.example.org:3128',
    });
    const env = {
      PIP_INDEX_URL: 'https://env.example.org/',
      PIP_NO_INDEX: '0',
      PIP_FIND_LINKS: '/wheels  https://links.example.org/',
      PIP_DEFAULT_TIMEOUT: '30',
      PIP_CLIENT_CERT: '/b.pem',
      PIP_EXTRA_INDEX_URL: '',
    };
    const settings = pipSettings([strong], env);
    assert.deepEqual(
      [settings.indexUrl, settings.noIndex, settings.findLinks, settings.timeout, settings.clientCert],
      ['https://env.example.org/', false, ['/wheels', 'https://links.example.org/'], 30_000, '/b.pem'],
    );
    assert.equal(settings.extraIndexUrls.length, 2);
  });

  it('are looked for where pip looks', async (t) => {
    assert.deepEqual(pipConfigFiles({ HOME: '/h', VIRTUAL_ENV: '/v' }), [
      '/etc/xdg/pip/pip.conf',
      '/etc/pip.conf',
      '/h/.pip/pip.conf',
      '/h/.config/pip/pip.conf',
      '/v/pip.conf',
    ]);
    assert.deepEqual(pipConfigFiles({ HOME: '/h', PIP_CONFIG_FILE: '/own', XDG_CONFIG_DIRS: '/x:/y' }), [
      '/x/pip/pip.conf',
      '/y/pip/pip.conf',
      '/etc/pip.conf',
      '/own',
    ]);
    assert.deepEqual(pipConfigFiles({ HOME: '/h', PIP_CONFIG_FILE: '/dev/null' }), []);
    const home = scratch(t);
    write(join(home, '.config/pip/pip.conf'), '[global]\nindex-url = https://home.example.org/\n');
    write(join(home, 'venv/pip.conf'), '[install]\nfind-links = /wheels\n');
    const settings = await readPipSettings({ HOME: home, VIRTUAL_ENV: join(home, 'venv'), XDG_CONFIG_DIRS: home });
    assert.deepEqual([settings.indexUrl, settings.findLinks], ['https://home.example.org/', ['/wheels']]);
  });
});

describe('where distributions are looked for', () => {
  const none = { flags: [], index: null, findLinks: ['/house'] };
  const set = {
    PIP_CONFIG_FILE: '/dev/null',
    PIP_INDEX_URL: 'https://pip.example.org/',
    PIP_EXTRA_INDEX_URL: 'https://extra.example.org/',
    PIP_FIND_LINKS: '/pip-house',
  };

  it('is --index, else the buildout’s, else pip’s own', async () => {
    const findLinks = ['/house'];
    assert.deepEqual(await locateIndex({ ...none, flags: ['x', 'y'], index: 'z', env: set }), {
      indexes: ['x', 'y'],
      findLinks,
    });
    assert.deepEqual(await locateIndex({ ...none, index: 'z', env: set }), { indexes: ['z'], findLinks });
    assert.deepEqual(await locateIndex({ ...none, index: '', env: set }), {
      indexes: ['https://pip.example.org/', 'https://extra.example.org/'],
      findLinks: ['/house', '/pip-house'],
    });
    assert.deepEqual(await locateIndex({ ...none, env: { ...set, PIP_NO_INDEX: '1' } }), {
      indexes: [],
      findLinks: ['/house', '/pip-house'],
    });
  });

  it('is pip’s default where nothing is set, and an error without pip', async (t) => {
    const help =
      'echo "  -i, --index-url <url>  Base URL of the Python Package Index (default https://default.example/simple)."';
    const env = fakePip(t, help);
    assert.deepEqual((await locateIndex({ ...none, env })).indexes, ['https://default.example/simple']);
    const never = fakePip(t, 'exit 9');
    assert.deepEqual((await locateIndex({ ...none, env: never, withDefault: false })).indexes, []);
    await assert.rejects(locateIndex({ ...none, env: never }), (error) => {
      hasCode('INPUT_ABSENT')(error);
      return error instanceof Error && 'hint' in error && String(error.hint).includes('--index');
    });
    await assert.rejects(locateIndex({ ...none, env: { PATH: scratch(t) } }), hasCode('INPUT_ABSENT'));
    const signal = AbortSignal.timeout(50);
    await assert.rejects(pipDefaultIndex(fakePip(t, 'exec /bin/sleep 60'), signal), hasCode('ABORTED'));
  });

  it('is read out of the help of any width', () => {
    const broken =
      '  -i, --index-url <url>\n      Base URL of the Python Package Index (default\n      https://default.example/sim\n      ple). This should\n';
    assert.equal(defaultOfHelp(broken), 'https://default.example/simple');
    assert.equal(defaultOfHelp('  --index-url <url> (default: https://a.example/simple)'), 'https://a.example/simple');
    assert.equal(defaultOfHelp('nothing'), null);
  });
});
