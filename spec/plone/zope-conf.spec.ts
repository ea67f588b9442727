import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sortedMappings } from '../../src/plone/mapping.ts';
import { type ZopeConfOptions, rewriteZopeConf } from '../../src/plone/zope-conf.ts';
import { hasCode } from '../support/codes.ts';

const D = '/home/u/plone';
const options: ZopeConfOptions = {
  mappings: sortedMappings([{ from: D, to: '/opt' }]),
  logs: 'files',
  file: `${D}/parts/instance/etc/zope.conf`,
  eggs: [`${D}/eggs`],
};
const forImage: ZopeConfOptions = {
  ...options,
  logs: 'stdout',
  mappings: sortedMappings([
    { from: D, to: '/opt' },
    { from: `${D}/var`, to: '/data' },
  ]),
};

const within = (section: string, line: string): string => `<${section}>\n  ${line}\n</${section.split(' ')[0]}>\n`;

describe('zope.conf', () => {
  const values: readonly (readonly [line: string, expected: string, section?: string])[] = [
    [`%define INSTANCEHOME ${D}/parts/instance`, '%define INSTANCEHOME /opt/parts/instance'],
    [`%DEFINE  clienthome\t${D}/var/instance `, '%DEFINE  clienthome\t/opt/var/instance '],
    ['instancehome $INSTANCEHOME', 'instancehome $INSTANCEHOME'],
    [`  products   ${D}/products  `, '  products   /opt/products  '],
    [`path ${D}/src/example`, 'path /opt/src/example'],
    [`pid-filename ${D}/var/instance.pid`, 'pid-filename /opt/var/instance.pid'],
    [`lock-filename ${D}/var/instance.lock`, 'lock-filename /opt/var/instance.lock'],
    [`%include ${D}/etc/more.conf`, '%include /opt/etc/more.conf'],
    [`%include file://${D}/etc/more.conf`, '%include file:///opt/etc/more.conf'],
    ['%include more.conf', '%include more.conf'],
    ['%import home.u.plone', '%import home.u.plone'],
    [`CHAMELEON_CACHE ${D}/var/cache`, 'CHAMELEON_CACHE /opt/var/cache', 'environment'],
    [`A_LIST ${D}/a:${D}2/b`, `A_LIST /opt/a:${D}2/b`, 'environment'],
    [`blob-dir ${D}/var/blobstorage`, 'blob-dir /opt/var/blobstorage', 'blobstorage'],
    [`path ${D}/var/filestorage/Data.fs`, 'path /opt/var/filestorage/Data.fs', 'filestorage'],
    [`path ${D}/var/log/a.log`, 'path /opt/var/log/a.log', 'logfile'],
    [`server ${D}/var/zeo.sock`, 'server /opt/var/zeo.sock', 'zeoclient'],
    [`var ${D}/var/zeo`, 'var /opt/var/zeo', 'zeoclient'],
    ['var $(ZEO_TMP)', 'var $(ZEO_TMP)', 'zeoclient'],
    [`cache-local-dir ${D}/var/c`, 'cache-local-dir /opt/var/c', 'relstorage'],
    [`data-dir ${D}/var/d`, 'data-dir /opt/var/d', 'sqlite3'],
    [`dsn host='${D}/var/pg' password='x'`, `dsn host='/opt/var/pg' password='x'`, 'postgresql'],
    [`socket-name ${D}/var/s`, 'socket-name /opt/var/s', 'runner'],
    [`anything ${D}/x`, 'anything /opt/x', 'product-config a.b'],
    ['mount-point /home', 'mount-point /home', 'zodb_db main'],
    [`path ${D} two/x`, `path ${D} two/x`, 'filestorage'],
    [`# path ${D}/x`, `# path ${D}/x`],
    [`  #${D}`, `  #${D}`],
    ['', ''],
  ];
  for (const [line, expected, section] of values)
    it(`${line} becomes ${expected}`, () => {
      const wrap = (text: string): string => (section === undefined ? `${text}\n` : within(section, text));
      assert.equal(rewriteZopeConf(wrap(line), options).text, wrap(expected));
    });

  it('keeps the ends of lines', () => {
    assert.equal(rewriteZopeConf(`# a\r\nproducts ${D}/p\r\nx y`, options).text, '# a\r\nproducts /opt/p\r\nx y');
  });

  it('loses what is of no use in a container', () => {
    const { text, changes } = rewriteZopeConf(
      `effective-user plone\npath ${D}/eggs/a-1.egg\npath /srv/eggs/b-1.egg/c\npath ${D}/eggs2/c\n` +
        within('logfile', `path ${D}/eggs/x.log`) +
        within('environment', 'effective-user plone'),
      options,
    );
    assert.equal(
      text,
      'path /opt/eggs2/c\n' + within('logfile', 'path /opt/eggs/x.log') + within('environment', 'effective-user plone'),
    );
    assert.deepEqual(
      changes.map(({ line, after }) => [line, after]),
      [
        [1, null],
        [2, null],
        [3, null],
        [4, 'path /opt/eggs2/c'],
        [6, '  path /opt/eggs/x.log'],
      ],
    );
  });

  const addresses: readonly (readonly [section: string, line: string, expected: string, warned: boolean])[] = [
    ['', 'ip-address 127.0.0.1', 'ip-address 0.0.0.0', true],
    ['http-server', 'address 127.0.0.1:8080', 'address 0.0.0.0:8080', true],
    ['http-server', 'address localhost:8080', 'address 0.0.0.0:8080', true],
    ['http-server', 'address [::1]:8080', 'address [::]:8080', true],
    ['webdav-source-server', 'address 127.0.1.1:1980', 'address 0.0.0.0:1980', true],
    ['http-server', 'address 8080', 'address 8080', false],
    ['http-server', 'address 10.0.0.1:8080', 'address 10.0.0.1:8080', false],
    ['http-server', 'address 127.0.0.1.example.org:80', 'address 127.0.0.1.example.org:80', false],
    ['environment', 'address 127.0.0.1:8080', 'address 127.0.0.1:8080', false],
    ['zeoclient', 'server 127.0.0.1:8100', 'server 127.0.0.1:8100', true],
    ['zeoclient', 'server 8100', 'server 8100', true],
    ['zeoclient', 'server zeo:8100', 'server zeo:8100', false],
    ['clock-server', 'host localhost', 'host localhost', false],
  ];
  for (const [section, line, expected, warned] of addresses)
    it(`${section} ${line} becomes ${expected}`, () => {
      const wrap = (text: string): string => (section === '' ? `${text}\n` : within(section, text));
      const { text, warnings } = rewriteZopeConf(wrap(line), options);
      assert.equal(text, wrap(expected));
      assert.deepEqual(
        warnings.map((warning) => warning.line),
        warned ? [section === '' ? 1 : 2] : [],
      );
    });

  it('reports leftovers with their lines, and no places of the object database', () => {
    const text =
      `a /srv/a\n# /srv/b\n` +
      within('zodb_db main', 'mount-point /temp_folder') +
      within('clock-server', 'method /Plone/@@tick') +
      within('environment', `X /usr/x ${D}/../y /opt/z /nix/store/w`);
    const { leftovers } = rewriteZopeConf(text, options);
    assert.deepEqual(
      leftovers.map(({ line, path }) => [line, path]),
      [
        [1, '/srv/a'],
        [10, '/usr/x'],
        [10, '/home/u/y'],
      ],
    );
  });

  it('says what has to be there, names replaced', () => {
    const { needs } = rewriteZopeConf(
      `%define CH ${D}/var/instance\nclienthome $ch\nproducts ${D}/products\n` +
        within('blobstorage', `blob-dir \${CH}/../blobs`) +
        within('logfile', `path ${D}/var/log/a.log`) +
        within('environment', `X ${D}/x $CH/y $(Z)/z`),
      forImage,
    );
    assert.deepEqual(
      needs.map(({ role, path, target }) => [role, path, target]),
      [
        ['folder', `${D}/var/instance`, '/data/instance'],
        ['tree', `${D}/products`, '/opt/products'],
        ['private', `${D}/var/blobs`, '/data/blobs'],
      ],
    );
  });

  it('has logs on the standard output where they are to go there', () => {
    const log = `path ${D}/var/log/a.log\n  max-size 5 MB\n  old-files 3\n  level INFO\n  format %(message)s`;
    const { text } = rewriteZopeConf(
      `<eventlog>\n${within('logfile', log)}</eventlog>\n` + within('filestorage', `path ${D}/var/Data.fs`),
      forImage,
    );
    assert.equal(
      text,
      `<eventlog>\n${within('logfile', 'path STDOUT\n  level INFO\n  format %(message)s')}</eventlog>\n` +
        within('filestorage', 'path /data/Data.fs'),
    );
  });

  it('names the files it includes, and where', () => {
    const { includes } = rewriteZopeConf(
      `%define X ${D}/etc\n%include $X/a.conf\n${within('eventlog', '%include b.conf')}%include $(HOME)/c.conf\n`,
      options,
    );
    assert.deepEqual(
      includes.map(({ target, line, within: sections }) => [target, line, sections]),
      [
        [`${D}/etc/a.conf`, 2, []],
        ['b.conf', 4, ['eventlog']],
      ],
    );
  });

  it('reads an included file as part of what includes it', () => {
    const { text, leftovers } = rewriteZopeConf('path $X/a.log\nmax-size 1\n', {
      ...forImage,
      within: ['eventlog', 'logfile'],
      defines: new Map([['x', `${D}/var/log`]]),
    });
    assert.equal(text, 'path STDOUT\n');
    assert.deepEqual(leftovers, []);
  });

  const malformed = [
    '<a>\n',
    '</a>\n',
    '<a>\n</b>\n',
    '<a\n',
    '%nothing x\n',
    '%define\n',
    '<a>\n<b/>\n',
    '<>\n',
    '(x) y\n',
  ];
  for (const text of malformed)
    it(`is refused as ZConfig does: ${JSON.stringify(text)}`, () => {
      assert.throws(() => rewriteZopeConf(text, options), hasCode('INPUT_MALFORMED'));
    });
});
