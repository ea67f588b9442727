import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { sortedMappings } from '../../src/plone/mapping.ts';
import type { RewriteOptions } from '../../src/plone/rewritten.ts';
import { rewriteWsgiIni } from '../../src/plone/wsgi-ini.ts';
import { fixture } from '../support/fixtures.ts';

const D = '/home/u/plone';
const options: RewriteOptions = {
  mappings: sortedMappings([
    { from: D, to: '/opt' },
    { from: `${D}/var`, to: '/data' },
  ]),
  logs: 'files',
  file: `${D}/parts/instance/etc/wsgi.ini`,
};

describe('wsgi.ini', () => {
  const table: readonly (readonly [section: string, line: string, expected: string])[] = [
    ['app:zope', `zope_conf = ${D}/parts/instance/etc/zope.conf`, 'zope_conf = /opt/parts/instance/etc/zope.conf'],
    ['app:zope', `zope_conf: ${D} x/zope.conf`, `zope_conf: ${D} x/zope.conf`],
    ['app:zope', 'zope_conf = %(here)s/zope.conf', 'zope_conf = %(here)s/zope.conf'],
    ['handler_a', `args = (r'${D}/var/log/a.log', 'a')`, `args = (r'/data/log/a.log', 'a')`],
    ['handler_a', `args = ('${D}/var/log/100%%.log',)`, `args = ('/data/log/100%%.log',)`],
    ['handler_a', `kwargs = {'filename': '${D}/var/a'}`, `kwargs = {'filename': '/data/a'}`],
    ['filter:profile', `log_filename = ${D}/var/p.raw`, 'log_filename = /data/p.raw'],
    ['filter:profile', `cachegrind_filename=${D}/var/c`, 'cachegrind_filename=/data/c'],
    ['filter:profile', 'path = /__profile__', 'path = /__profile__'],
    ['server:main', 'fast-listen = 127.0.0.1:8080', 'fast-listen = 0.0.0.0:8080'],
    ['server:main', 'listen = localhost:8080 [::1]:8080', 'listen = 0.0.0.0:8080 [::]:8080'],
    ['server:main', 'host = 127.0.0.1', 'host = 0.0.0.0'],
    ['server:main', 'listen = 0.0.0.0:8080', 'listen = 0.0.0.0:8080'],
    ['app:other', 'listen = 127.0.0.1:8080', 'listen = 127.0.0.1:8080'],
    ['server:main', `unix_socket = ${D}/var/s`, 'unix_socket = /data/s'],
    ['x', `; ${D}/x`, `; ${D}/x`],
    ['x', `  # ${D}/x`, `  # ${D}/x`],
    ['x', `many =\n    ${D}/a\n    ${D}2/b`, `many =\n    /opt/a\n    ${D}2/b`],
    ['x', `[a ${D}]`, `[a ${D}]`],
  ];
  for (const [section, line, expected] of table)
    it(`[${section}] ${JSON.stringify(line)} becomes ${JSON.stringify(expected)}`, () => {
      assert.equal(rewriteWsgiIni(`[${section}]\n${line}\n`, options).text, `[${section}]\n${expected}\n`);
    });

  it('reports leftovers and loopbacks with their lines', () => {
    const { leftovers, warnings } = rewriteWsgiIni(
      `[server:main]\nlisten = 127.0.0.1:1\nurl_prefix = /site\n[handler_a]\nargs = ('/var/log/a', '${D}/var/b')\n` +
        '[formatter_a]\nformat = /x/ %(message)s\n',
      options,
    );
    assert.deepEqual(
      leftovers.map(({ line, path }) => [line, path]),
      [[5, '/var/log/a']],
    );
    assert.deepEqual(
      warnings.map(({ line }) => line),
      [2],
    );
  });

  it('says what has to be there', () => {
    const { needs } = rewriteWsgiIni(
      `[app:zope]\nzope_conf = %(here)s/zope.conf\n[handler_a]\nargs = ('${D}/var/log/a',)\n`,
      options,
    );
    assert.deepEqual(
      needs.map(({ role, target }) => [role, target]),
      [
        ['config', '/opt/parts/instance/etc/zope.conf'],
        ['parent', '/data/log/a'],
      ],
    );
  });

  it('writes every record once to the standard output', () => {
    const before = readFileSync(fixture('instances', 'plone-5.2', 'parts', 'instance', 'etc', 'wsgi.ini'), 'utf8');
    const { text, changes } = rewriteWsgiIni(before, { ...options, logs: 'stdout' });
    const [, logging = ''] = text.split('[logger_root]');
    assert.equal(
      logging,
      `
level = INFO
handlers = console

[logger_plone]
level = INFO
handlers =${' '}
qualname = plone

[logger_waitress]
level = INFO
handlers = eventlog
qualname = waitress
propagate = 0

[logger_wsgi]
level = INFO
handlers = accesslog
qualname = wsgi
propagate = 0

[handler_console]
class = StreamHandler
args = (sys.stdout,)
level = NOTSET
formatter = generic

# was /home/u/plone/var/log/old.log
[handler_accesslog]
class = StreamHandler
args = (sys.stdout,)
level = INFO
formatter = message

[handler_eventlog]
class = StreamHandler
args = (sys.stdout,)
level = NOTSET
formatter = generic

[formatter_generic]
format = %(asctime)s /%(levelname)s/ %(message)s

[formatter_message]
format = %(message)s
`,
    );
    assert.ok(changes.some(({ after }) => after === null));
  });
});
