import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/fixtures.ts';
import { WSGI_INI, ZOPE_CONF } from './program-lab.ts';

const run = promisify(execFile);

type Environment = Readonly<Record<string, string>>;

interface Answer {
  readonly failure?: string;
  readonly text: string;
  readonly zopeConf: string;
  readonly wsgiIni: string;
  readonly notes: readonly string[];
  readonly site: Readonly<Record<string, unknown>>;
  readonly wait: number;
  readonly needs: {
    readonly folders: readonly (readonly [path: string, mode: string])[];
    readonly filestorages: readonly string[];
    readonly zeo: readonly (readonly string[])[];
    readonly postgresql: readonly string[];
  };
}

/** Any Python will do: these parts are pure, and need no Plone. */
async function ask(environments: readonly Environment[], zopeConf = ZOPE_CONF): Promise<readonly Answer[]> {
  const running = run('python3', ['-B', join(repositoryRoot, 'spec/plone/settings-table.py')], {
    env: { ...process.env, PYTHONPATH: join(repositoryRoot, 'src/plone/programs') },
  });
  running.child.stdin?.end(JSON.stringify({ environments, zopeConf, wsgiIni: WSGI_INI }));
  const { stdout } = await running;
  const answers: readonly Answer[] = JSON.parse(stdout);
  return answers;
}

async function askOne(environment: Environment, zopeConf = ZOPE_CONF): Promise<Answer> {
  const [answer] = await ask([environment], zopeConf);
  assert.ok(answer !== undefined);
  return answer;
}

/** The sections of a file that stand around each of its lines, with the line: `zodb_db main / cache-size 30000`. */
function outline(text: string): readonly string[] {
  const open: string[] = [];
  const lines: string[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line.startsWith('</')) open.pop();
    else if (line.startsWith('<')) open.push(line.slice(1, -1));
    else if (line !== '' && !line.startsWith('#')) lines.push([...open, line].join(' / '));
  }
  return lines;
}

/** Lines that the settings brought, and those that they took. */
function changes(answer: Answer): { readonly more: readonly string[]; readonly less: readonly string[] } {
  const [own, now] = [outline(ZOPE_CONF), outline(answer.zopeConf)];
  return { more: now.filter((line) => !own.includes(line)), less: own.filter((line) => !now.includes(line)) };
}

const ZEO = { ZEO_ADDRESS: 'zeo:8100' };
const DSN = "dbname='plone' user='plone' host='db' password='s3cret'";
const RELSTORAGE = { RELSTORAGE_DSN: DSN };

/** Every name of plone/plone-backend that this image takes, and the line that it makes. */
const NAMES: readonly (readonly [environment: Environment, line: string])[] = [
  [{ DEBUG_MODE: 'on' }, 'debug-mode on'],
  [{ DEBUG_MODE: 'True' }, 'debug-mode on'],
  [{ SECURITY_POLICY_IMPLEMENTATION: 'python' }, 'security-policy-implementation PYTHON'],
  [{ VERBOSE_SECURITY: '1' }, 'verbose-security on'],
  [{ DEFAULT_ZPUBLISHER_ENCODING: 'latin-1' }, 'default-zpublisher-encoding latin-1'],
  [{ CLIENT_HOME: '/data/pod-0' }, 'clienthome /data/pod-0'],
  [{ ZOPE_FORM_MEMORY_LIMIT: '4MB' }, 'dos_protection / form-memory-limit 4MB'],
  [{ ZOPE_FORM_DISK_LIMIT: '1 GB' }, 'dos_protection / form-disk-limit 1GB'],
  [{ ZOPE_FORM_MEMFILE_LIMIT: '4KB' }, 'dos_protection / form-memfile-limit 4KB'],
  [{ ZODB_CACHE_SIZE: '50000' }, 'zodb_db main / cache-size 50000'],
  [ZEO, 'zodb_db main / zeoclient / server zeo:8100'],
  [ZEO, 'zodb_db main / zeoclient / cache-size 128MB'],
  [ZEO, 'zodb_db main / zeoclient / blob-dir /data/blobcache'],
  [{ ZEO_ADDRESS: 'a:1 [::1]:2' }, 'zodb_db main / zeoclient / server [::1]:2'],
  [{ ...ZEO, ZEO_SHARED_BLOB_DIR: 'on' }, 'zodb_db main / zeoclient / shared-blob-dir on'],
  [{ ...ZEO, ZEO_SHARED_BLOB_DIR: 'on' }, 'zodb_db main / zeoclient / blob-dir /data/blobstorage'],
  [{ ...ZEO, ZEO_READ_ONLY: 'true' }, 'zodb_db main / zeoclient / read-only on'],
  [{ ...ZEO, ZEO_CLIENT_READ_ONLY_FALLBACK: 'true' }, 'zodb_db main / zeoclient / read-only-fallback on'],
  [{ ...ZEO, ZEO_STORAGE: 'main' }, 'zodb_db main / zeoclient / storage main'],
  [{ ...ZEO, ZEO_CLIENT_CACHE_SIZE: '1GB' }, 'zodb_db main / zeoclient / cache-size 1GB'],
  [{ ...ZEO, ZEO_DROP_CACHE_RATHER_VERIFY: 'no' }, 'zodb_db main / zeoclient / drop-cache-rather-verify off'],
  [RELSTORAGE, `zodb_db main / relstorage / postgresql / dsn ${DSN}`],
  [RELSTORAGE, 'zodb_db main / %import relstorage'],
  [RELSTORAGE, 'zodb_db main / relstorage / blob-cache-size 100MB'],
  [RELSTORAGE, 'zodb_db main / relstorage / blob-dir /data/blobcache'],
  [
    { RELSTORAGE_DSN: "password='a$b$$(HOME)'" },
    "zodb_db main / relstorage / postgresql / dsn password='a$$b$$$$(HOME)'",
  ],
  [{ ...RELSTORAGE, RELSTORAGE_NAME: 'x' }, 'zodb_db main / relstorage / name x'],
  [{ ...RELSTORAGE, RELSTORAGE_READ_ONLY: 'on' }, 'zodb_db main / relstorage / read-only on'],
  [{ ...RELSTORAGE, RELSTORAGE_KEEP_HISTORY: 'false' }, 'zodb_db main / relstorage / keep-history off'],
  [{ ...RELSTORAGE, RELSTORAGE_COMMIT_LOCK_TIMEOUT: '9' }, 'zodb_db main / relstorage / commit-lock-timeout 9'],
  [{ ...RELSTORAGE, RELSTORAGE_CREATE_SCHEMA: 'false' }, 'zodb_db main / relstorage / create-schema off'],
  [{ ...RELSTORAGE, RELSTORAGE_SHARED_BLOB_DIR: 'true' }, 'zodb_db main / relstorage / blob-dir /data/blobstorage'],
  [{ ...RELSTORAGE, RELSTORAGE_BLOB_CACHE_SIZE: '2gb' }, 'zodb_db main / relstorage / blob-cache-size 2gb'],
  [{ ...RELSTORAGE, RELSTORAGE_BLOB_CACHE_SIZE_CHECK: '5' }, 'zodb_db main / relstorage / blob-cache-size-check 5'],
  [
    { ...RELSTORAGE, RELSTORAGE_BLOB_CACHE_SIZE_CHECK_EXTERNAL: 'on' },
    'zodb_db main / relstorage / blob-cache-size-check-external on',
  ],
  [{ ...RELSTORAGE, RELSTORAGE_BLOB_CHUNK_SIZE: '1048576' }, 'zodb_db main / relstorage / blob-chunk-size 1048576'],
  [{ ...RELSTORAGE, RELSTORAGE_CACHE_LOCAL_MB: '20' }, 'zodb_db main / relstorage / cache-local-mb 20'],
  [
    { ...RELSTORAGE, RELSTORAGE_CACHE_LOCAL_OBJECT_MAX: '16384' },
    'zodb_db main / relstorage / cache-local-object-max 16384',
  ],
  [
    { ...RELSTORAGE, RELSTORAGE_CACHE_LOCAL_COMPRESSION: 'ZLIB' },
    'zodb_db main / relstorage / cache-local-compression zlib',
  ],
  [
    { ...RELSTORAGE, RELSTORAGE_CACHE_DELTA_SIZE_LIMIT: '100000' },
    'zodb_db main / relstorage / cache-delta-size-limit 100000',
  ],
];

const MALFORMED: readonly Environment[] = [
  { DEBUG_MODE: 'maybe' },
  { SECURITY_POLICY_IMPLEMENTATION: 'RUST' },
  { LISTEN_PORT: 'tcp://10.0.0.1:80' },
  { LISTEN_PORT: '0' },
  { LISTEN_PORT: '65536' },
  { ZODB_CACHE_SIZE: '50k' },
  { ZOPE_FORM_DISK_LIMIT: 'much' },
  { CLIENT_HOME: 'relative' },
  { ZEO_ADDRESS: 'zeo' },
  { ZEO_ADDRESS: 'tcp://zeo:8100/x' },
  { ZEO_ADDRESS: 'zeo:8100\nblob-dir /etc' },
  { ...ZEO, ZEO_STORAGE: '1\nserver evil:1' },
  { ...ZEO, ZEO_READ_ONLY: '2' },
  { RELSTORAGE_DSN: 'dbname=a\n</postgresql>' },
  { ...RELSTORAGE, RELSTORAGE_CACHE_LOCAL_COMPRESSION: 'rar' },
  { DATABASE_WAIT: '-1' },
  { SITE: 'two words' },
  { DELETE_EXISTING: 'perhaps' },
];

const REFUSED: readonly Environment[] = [
  { ADDONS: 'eea.facetednavigation' },
  { DEVELOP: '/app/src/x' },
  { PIP_PARAMS: '--pre' },
  { ANSWERS: 'mine' },
  { COMPILE_MO_FILES: 'true' },
  { CORS_ALLOW_ORIGIN: '*' },
  { CORS_ALLOW_METHODS: 'GET' },
  { CORS_ALLOW_CREDENTIALS: 'true' },
  { CORS_EXPOSE_HEADERS: 'X' },
  { CORS_ALLOW_HEADERS: 'X' },
  { CORS_MAX_AGE: '1' },
  { ZODB_PGJSONB_DSN: "password='s3cret'" },
  { ZODB_PGJSONB_S3BLOBS_SECRET_KEY: 's3cret' },
];

describe('settings from the environment', () => {
  let answers: ReadonlyMap<Environment, Answer>;
  before(async () => {
    const environments = [...NAMES.map(([environment]) => environment), ...MALFORMED, ...REFUSED];
    const given = await ask(environments);
    answers = new Map(environments.map((environment, index) => [environment, given[index] ?? assert.fail()]));
  });

  it('without any: the configuration of the image', async () => {
    const answer = await askOne({ PATH: '/bin', ZEO_ADDRESS: '', RELSTORAGE_DSN: ' ', LISTEN_PORT: '' });
    assert.equal(answer.zopeConf, ZOPE_CONF);
    assert.equal(answer.wsgiIni, WSGI_INI);
    assert.deepEqual(answer.notes, []);
  });

  for (const [environment, line] of NAMES)
    it(`${JSON.stringify(environment)}: ${line}`, () => {
      const { more } = changes(answers.get(environment) ?? assert.fail());
      assert.ok(more.includes(line), more.join('\n'));
    });

  for (const environment of [...MALFORMED, ...REFUSED])
    it(`refuses ${JSON.stringify(environment)} without showing a value`, () => {
      const { failure, text } = answers.get(environment) ?? assert.fail();
      assert.equal(failure, 'SETTING_REFUSED');
      assert.ok(Object.keys(environment).some((name) => text.includes(name)));
      assert.ok(!text.includes('s3cret'));
    });

  it('a server takes the place of the whole storage, and of nothing else', async () => {
    const taken = outline(ZOPE_CONF).filter((line) => line.includes('blobstorage /'));
    for (const environment of [ZEO, RELSTORAGE]) assert.deepEqual(changes(await askOne(environment)).less, taken);
  });

  it('PostgreSQL before ZEO, as in plone/plone-backend, with a note', async () => {
    const { zopeConf, notes } = await askOne({ ...ZEO, ...RELSTORAGE });
    assert.ok(!zopeConf.includes('zeoclient'));
    assert.equal(notes.length, 1);
  });

  it('what the buildout chose stays where it already is that storage', async () => {
    const conf = ZOPE_CONF.replace(
      /<blobstorage>[^]*<\/blobstorage>/,
      '<zeoclient>\nserver old:1\nserver older:1\nwait-timeout 5\nblob-dir /data/b\n</zeoclient>',
    );
    const more = outline((await askOne({ ...ZEO, ZEO_STORAGE: '2' }, conf)).zopeConf);
    const of = (line: string): string => `zodb_db main / zeoclient / ${line}`;
    assert.deepEqual(
      more.filter((line) => line.includes('zeoclient')),
      ['server zeo:8100', 'wait-timeout 5', 'blob-dir /data/b', 'storage 2'].map(of),
    );
    const { zopeConf, needs } = await askOne({ ZEO_CLIENT_CACHE_SIZE: '7MB' }, conf);
    assert.ok(outline(zopeConf).includes(of('cache-size 7MB')));
    assert.deepEqual(needs.zeo, [['old:1', 'older:1']]);
  });

  it('names that Kubernetes sets for its services are ignored, in one line', async () => {
    const services = {
      ZEO_PORT: 'tcp://10.0.0.1:8100',
      ZEO_SERVICE_HOST: '10.0.0.1',
      ZEO_PORT_8100_TCP_ADDR: '10.0.0.1',
      RELSTORAGE_SERVICE_PORT: '5432',
      ZODB_WHATEVER: 's3cret',
    };
    const answer = await askOne(services);
    assert.equal(answer.zopeConf, ZOPE_CONF);
    assert.equal(answer.notes.length, 1);
    for (const name of Object.keys(services)) assert.ok(answer.notes[0]?.includes(name), name);
    assert.ok(!answer.notes[0]?.includes('s3cret'));
  });

  it('LISTEN_PORT changes the port, not the interface', async () => {
    const { wsgiIni } = await askOne({ LISTEN_PORT: '8081' });
    assert.equal(wsgiIni, WSGI_INI.replace(':8080', ':8081'));
  });

  it('what has to be there before Zope starts', async () => {
    const plain = await askOne({ CLIENT_HOME: '/data/pods/0' });
    assert.deepEqual(plain.needs.filestorages, ['/data/filestorage/Data.fs']);
    const folders = new Map(plain.needs.folders);
    for (const [path, mode] of [
      ['/data/blobstorage', '0o700'],
      ['/data/filestorage', '0o770'],
      ['/data/cache', '0o770'],
      ['/data/log', '0o770'],
      ['/data/pods/0', '0o770'],
    ] as const)
      assert.equal(folders.get(path), mode, path);
    const order = plain.needs.folders.map(([path]) => path);
    assert.ok(order.indexOf('/data/pods') < order.indexOf('/data/pods/0'));
    const remote = await askOne(RELSTORAGE);
    assert.deepEqual([remote.needs.filestorages, remote.needs.postgresql], [[], [DSN]]);
    assert.equal(new Map(remote.needs.folders).get('/data/blobcache'), '0o700');
  });

  it('the site, by the names of plone/plone-backend', async () => {
    const given = await askOne({
      SITE: 'Intranet',
      TYPE: 'classic',
      PROFILES: 'a:default, b:default c:default',
      SITE_DEFAULT_LANGUAGE: 'pt-br',
      TIMEZONE: 'Europe/Helsinki',
      SETUP_CONTENT: 'false',
      DELETE_EXISTING: 'true',
    });
    assert.deepEqual(given.site, {
      atStart: 'Intranet',
      id: 'Intranet',
      title: null,
      type: 'classic',
      profiles: ['a:default', 'b:default', 'c:default'],
      language: 'pt-br',
      timezone: 'Europe/Helsinki',
      content: false,
      delete_existing: true,
    });
    const { site } = await askOne({ SITE_ID: 'x', DISTRIBUTION: 'volto', TYPE: 'classic' });
    assert.deepEqual([site['atStart'], site['id'], site['type']], [null, 'x', 'volto']);
  });
});
