import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { instance } from '../../src/index.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { type RecipeJob, runRecipe, skipRecipe } from '../support/zope2instance.ts';

interface Variant {
  readonly options: Readonly<Record<string, string>>;
  /** Beside the folder's name, which goes everywhere. */
  readonly changed?: readonly (readonly [was: RegExp, is: string])[];
  /** Folders that are there, empty. */
  readonly folders?: readonly string[];
  readonly files?: readonly string[];
  /** `FOLDER` stands for the folder's name. */
  readonly leftovers?: readonly string[];
  readonly warnings?: number;
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  'nothing said': {
    options: {},
    folders: ['var/blobstorage', 'var/cache', 'var/filestorage', 'var/instance', 'var/log'],
  },
  'a loopback address': {
    options: { 'http-address': '127.0.0.1:8080' },
    changed: [[/^fast-listen = 127\.0\.0\.1:8080$/m, 'fast-listen = 0.0.0.0:8080']],
    warnings: 1,
  },
  'http-fast-listen = off': {
    options: { 'http-address': 'localhost:8081', 'http-fast-listen': 'off' },
    changed: [[/^listen = localhost:8081$/m, 'listen = 0.0.0.0:8081']],
    warnings: 1,
  },
  'a ZEO client by a socket': {
    options: {
      'zeo-client': 'true',
      'zeo-address': 'FOLDER/var/zeo/zeo.sock',
      'zeo-client-client': 'plone',
      'zeo-var': 'FOLDER/var/zeocache',
      'blob-storage': 'FOLDER/var/blobs',
      'shared-blob': 'on',
    },
    folders: ['var/blobs', 'var/cache', 'var/instance', 'var/log', 'var/zeo', 'var/zeocache'],
  },
  'a ZEO client of this machine': {
    options: { 'zeo-client': 'true', 'zeo-address': '127.0.0.1:8100' },
    folders: ['var/blobcache', 'var/cache', 'var/instance', 'var/log'],
    warnings: 1,
  },
  'RelStorage on PostgreSQL': {
    options: {
      'rel-storage': `type postgresql
        blob-dir FOLDER/var/blobcache
        cache-local-dir FOLDER/var/relcache
        dsn dbname='plone' host='FOLDER/var/pg' password='x'`,
    },
    folders: ['var/blobcache', 'var/cache', 'var/instance', 'var/log', 'var/relcache'],
  },
  'RelStorage on SQLite': {
    options: { 'rel-storage': 'type sqlite3\ndata-dir FOLDER/var/sqlite\nblob-dir FOLDER/var/blobs' },
    folders: ['var/blobs', 'var/cache', 'var/instance', 'var/log', 'var/sqlite'],
  },
  'logs and a profile of its own': {
    options: {
      'event-log': 'FOLDER/logs/event.log',
      'access-log': '/var/log/plone/access.log',
      profile: 'on',
      profile_log_filename: 'FOLDER/profile/plone.raw',
    },
    folders: [
      'logs',
      'profile',
      'var/blobstorage',
      'var/cache',
      'var/filestorage',
      'var/instance',
      // Of the second file of the profile.
      'var/log',
    ],
    leftovers: ['/var/log/plone/access.log'],
  },
  'handlers that rotate': {
    options: {
      'event-log-handler': 'logging.handlers.RotatingFileHandler',
      'event-log-args': "(r'FOLDER/var/rotating/event.log', )",
      'event-log-kwargs': "{'maxBytes': 1024, 'backupCount': 3}",
    },
    folders: ['var/blobstorage', 'var/cache', 'var/filestorage', 'var/instance', 'var/log', 'var/rotating'],
  },
  'environment-vars': {
    options: {
      'environment-vars': `CHAMELEON_CACHE FOLDER/var/chameleon
        zope_i18n_compile_mo_files true
        EXAMPLE_PATH FOLDER/a:FOLDER2/b
        PTS_LANGUAGES de, en`,
    },
    folders: ['var/blobstorage', 'var/chameleon', 'var/filestorage', 'var/instance', 'var/log'],
    leftovers: ['FOLDER2/b'],
  },
  'zope-conf-additional': {
    options: {
      'zope-conf-additional': `%include FOLDER/etc/more.conf
<product-config example>
  settings FOLDER/etc/settings.json
  elsewhere FOLDER2/etc/settings.json
</product-config>`,
    },
    files: ['etc/more.conf', 'etc/settings.json'],
    leftovers: ['FOLDER2/etc/settings.json'],
  },
  products: {
    options: { products: 'FOLDER/products\nFOLDER/more-products' },
    files: ['products/Example/__init__.py', 'more-products/Other/__init__.py'],
  },
  'extra paths and ZCML': {
    options: { 'extra-paths': 'FOLDER/src', zcml: 'example', resources: 'FOLDER/resources', locales: 'FOLDER/locales' },
    files: [
      'parts/instance/etc/package-includes/001-locales-configure.zcml',
      'parts/instance/etc/package-includes/002-example-configure.zcml',
      'parts/instance/etc/package-includes/998-resources-configure.zcml',
    ],
    folders: ['locales', 'resources', 'var/blobstorage', 'var/cache', 'var/filestorage', 'var/instance', 'var/log'],
  },
  'storages in storages': {
    options: {
      'file-storage': 'FOLDER/data/main/Data.fs',
      'blob-storage': 'FOLDER/data/blobs',
      'zlib-storage': 'active',
      'storage-wrapper': '<serverzlibstorage>\n%s\n</serverzlibstorage>',
      'zodb-temporary-storage': 'off',
    },
    folders: ['data/blobs', 'data/main', 'var/cache', 'var/instance', 'var/log'],
  },
};

/** Of versions up to 6, which still know ZServer. */
const ZSERVER: Variant = {
  options: {
    wsgi: 'off',
    'http-address': '127.0.0.1:8080',
    'webdav-address': '1980',
    'effective-user': 'plone',
    'extra-paths': 'FOLDER/eggs/example-1.0-py3.11.egg\nFOLDER/src',
    'pid-file': 'FOLDER/var/run/instance.pid',
    'event-log-max-size': '5 MB',
  },
  changed: [
    [/^effective-user plone\n/m, ''],
    [/^path FOLDER\/eggs\/.*\n/m, ''],
    [/^ {2}address 127\.0\.0\.1:8080$/m, '  address 0.0.0.0:8080'],
  ],
  folders: ['var/blobstorage', 'var/cache', 'var/filestorage', 'var/instance', 'var/log', 'var/run'],
  files: ['src/example.py'],
  warnings: 1,
};

function prepare(folder: string): void {
  for (const [name, text] of [
    ['etc/more.conf', '<product-config more>\n  spool FOLDER/var/spool\n</product-config>\n'],
    ['etc/settings.json', '{}\n'],
    ['products/Example/__init__.py', ''],
    ['more-products/Other/__init__.py', ''],
    ['src/example.py', ''],
  ] as const) {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text.replaceAll('FOLDER', folder));
  }
}

for (const version of [9, 7, 6] as const) {
  const skip = await skipRecipe(version);
  describe(`what plone.recipe.zope2instance ${version} makes`, { skip }, () => {
    const variants = version === 6 ? { ...VARIANTS, ZServer: ZSERVER } : VARIANTS;
    const cases = Object.entries(variants).map(([name, variant], index) => ({
      name,
      variant,
      place: `${index}/plone`,
    }));
    const lab = scratch({ after });
    before(() => {
      const jobs = cases.map(({ variant, place }) => jobOf(variant, join(lab, place)));
      for (const { folder } of jobs) prepare(folder);
      runRecipe(version, jobs);
    });
    for (const { name, variant, place } of cases)
      it(`runs in a container: ${name}`, () => check(variant, join(lab, place)));
  });
}

function jobOf({ options }: Variant, folder: string): RecipeJob {
  const named = Object.entries(options).map(([key, value]) => [key, value.replaceAll('FOLDER', folder)] as const);
  return { folder, options: Object.fromEntries(named) };
}

async function check(variant: Variant, folder: string): Promise<void> {
  const named = (text: string): string => text.replaceAll('FOLDER', folder);
  const output = `${folder}.instance`;
  const { leftovers, warnings, era } = await instance({ folder, output });

  for (const file of ['etc/zope.conf', 'etc/wsgi.ini', 'etc/site.zcml', 'inituser']) {
    const [was, is] = [join(folder, 'parts/instance', file), join(output, 'parts/instance', file)];
    assert.equal(existsSync(is), existsSync(was), file);
    if (existsSync(was))
      assert.equal(readFileSync(is, 'utf8'), expectedText(readFileSync(was, 'utf8'), variant, folder), file);
  }
  assert.equal(era, variant.options['wsgi'] === 'off' ? 'zserver' : 'wsgi');
  assert.deepEqual(leftovers.map(({ path }) => path).toSorted(), (variant.leftovers ?? []).map(named));
  assert.equal(warnings.length, variant.warnings ?? 0, JSON.stringify(warnings));
  if (variant.folders !== undefined)
    assert.deepEqual(
      emptyFolders(output).filter((path) => !path.startsWith('parts/')),
      variant.folders,
    );
  for (const file of variant.files ?? []) assert.ok(existsSync(join(output, file)), file);
  for (const file of emptyFolders(output))
    assert.equal(statSync(join(output, file)).mode & 0o777, /blob/.test(file) ? 0o700 : 0o755, file);
}

/** The folder's own name becomes the mount; its neighbour's, which begins alike, stays. */
function expectedText(text: string, { changed = [] }: Variant, folder: string): string {
  const placed = text.replaceAll(`${folder}2`, 'NEIGHBOUR').replaceAll(folder, 'FOLDER');
  const done = changed.reduce((so, [was, is]) => so.replace(was, is), placed);
  return done.replaceAll('FOLDER', '/opt').replaceAll('NEIGHBOUR', `${folder}2`);
}

function emptyFolders(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isDirectory() && readdirSync(join(folder, path)).length === 0)
    .toSorted();
}

describe('bin/interpreter', { skip: (await skipRecipe(9)) || missing('python3') }, () => {
  const script = 'import sys\nprint(__name__, __file__, sys.argv[1:], "é")\n';
  const folder = join(scratch({ after }), 'plone');
  before(async () => {
    prepare(folder);
    writeFileSync(join(folder, 'script.py'), script);
    runRecipe(9, [{ folder, options: {} }]);
    await instance({ folder, output: `${folder}.instance` });
  });
  const calls: readonly (readonly [name: string, words: readonly string[], stdin?: string])[] = [
    ['a script and its arguments', ['FOLDER/script.py', '-x', 'a b']],
    [
      'code',
      [
        '-c',
        'import sys; print(__name__, sys.argv[1:]); sys.argv.pop(); x = [y for y in [1, 2] if y in [2]]; print(x)',
      ],
    ],
    ['functions of code', ['-c', 'import sys\ndef f():\n  return g()\ndef g():\n  return sys.argv[-1]\nprint(f())']],
    ['a module and its arguments', ['-m', 'json.tool', 'FOLDER/etc/settings.json']],
    ['an isolated one', ['-I', '-c', 'print(1)']],
    ['code, and then a prompt', ['-i', '-c', 'app = 42'], 'print(app + 1)\n'],
    ['a prompt', [], 'print(6 * 7)\n'],
    ['a failing script', ['/nonexistent/script']],
    ['an exit code', ['-c', 'import sys; sys.exit(7)']],
    ['an unknown option', ['-z']],
  ];
  for (const [name, words, stdin] of calls)
    it(`does what zc.buildout’s does: ${name}`, () => {
      const run = (place: string): unknown => {
        const interpreter = join(place, 'parts/instance/bin/interpreter');
        const args = words.map((word) => word.replace(/^FOLDER/, folder));
        const { status, stdout } = spawnSync('python3', [interpreter, ...args], {
          encoding: 'utf8',
          input: stdin ?? '',
        });
        return { status, stdout };
      };
      assert.deepEqual(run(`${folder}.instance`), run(folder));
    });
});
