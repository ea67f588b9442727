import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ErrorCode, type InstanceResult, instance } from '../../src/index.ts';
import { hasCode } from '../support/codes.ts';
import { missing, fixture } from '../support/fixtures.ts';
import { asPlainUser } from '../support/plain-user.ts';
import { scratch } from '../support/scratch.ts';
import { instanceFixture, namesIn, snapshot } from './instances.ts';

const ERAS = ['zope-2.13', 'plone-5.2', 'plone-6'] as const;

/** What one line of a report says, its file relative to the folder. */
function placesOf(
  folder: string,
  reports: readonly { readonly file: string; readonly line: number | null }[],
): readonly string[] {
  return reports.map(({ file, line }) => `${file.slice(folder.length + 1)}:${line}`);
}

describe('a copy of an instance', () => {
  const expected: Readonly<
    Record<
      (typeof ERAS)[number],
      {
        readonly era: InstanceResult['era'];
        readonly arguments: string;
        readonly names: readonly string[];
        readonly removed: readonly string[];
        readonly warnings: readonly string[];
        readonly leftovers: readonly string[];
      }
    >
  > = {
    'zope-2.13': {
      era: 'zserver',
      arguments: '["-C", "/opt/parts/instance/etc/zope.conf"]',
      names: [
        'file 644 etc/logging.conf',
        'file 644 etc/mime.types',
        'file 644 parts/instance/etc/package-includes/002-example.policy-configure.zcml',
        'file 644 parts/instance/etc/site.zcml',
        'file 644 parts/instance/etc/zope.conf',
        'file 644 parts/instance/inituser',
        'file 644 products/Example/__init__.py',
        'file 644 src/example.policy/example/__init__.py',
        'file 755 instance.py',
        'file 755 parts/instance/bin/interpreter',
        'folder 700 var/blobstorage',
        'folder 755 var/filestorage',
        'folder 755 var/instance',
        'folder 755 var/log',
        'folder 755 var/mail',
        'folder 755 var/run',
        'folder 755 var/trace',
      ],
      removed: ['parts/instance/site.py', 'parts/instance/sitecustomize.py'],
      warnings: ['15', '42', '51'].map((line) => `parts/instance/etc/zope.conf:${line}`),
      leftovers: [
        'parts/instance/etc/zope.conf:20 /home/u/plone2/tmp',
        'parts/instance/etc/zope.conf:88 /srv/shared/files',
        'parts/instance/etc/zope.conf:89 /home/u/archive/old',
        'etc/logging.conf:13 /var/log/plone/trace.log',
      ],
    },
    'plone-5.2': {
      era: 'wsgi',
      arguments:
        '["-C", "/opt/parts/instance/etc/zope.conf", "-p", "/app/bin/python", "-w", "/opt/parts/instance/etc/wsgi.ini", "--umask", 18]',
      names: [
        'file 644 parts/instance/etc/site.zcml',
        'file 644 parts/instance/etc/wsgi.ini',
        'file 644 parts/instance/etc/zope.conf',
        'file 644 parts/instance/inituser',
        'file 755 instance.py',
        'file 755 parts/instance/bin/interpreter',
        'folder 700 var/blobcache',
        'folder 755 var/cache',
        'folder 755 var/instance',
        'folder 755 var/log',
        'folder 755 var/profile',
        'folder 755 var/zeo',
        'folder 755 var/zeocache',
      ],
      removed: [],
      warnings: ['parts/instance/etc/zope.conf:22', 'parts/instance/etc/wsgi.ini:4'],
      leftovers: ['parts/instance/etc/wsgi.ini:74 /home/u/plone.log/instance.log'],
    },
    'plone-6': {
      era: 'wsgi',
      arguments: '["-C", "/opt/parts/instance/etc/zope.conf", "-p", "/app/bin/python", "-w", "/opt/etc/custom.ini"]',
      names: [
        'file 644 .env',
        'file 644 etc/additional.conf',
        'file 644 etc/custom.ini',
        'file 644 etc/even-more.zcml',
        'file 644 etc/more.zcml',
        'file 644 etc/settings.json',
        'file 644 parts/instance/etc/package-includes/998-resources-configure.zcml',
        'file 644 parts/instance/etc/site.zcml',
        'file 644 parts/instance/etc/zope.conf',
        'file 644 parts/instance/inituser',
        'file 644 resources/style.css',
        'file 755 instance.py',
        'file 755 parts/instance/bin/interpreter',
        'folder 700 var/blobcache',
        'folder 755 var/cache',
        'folder 755 var/data',
        'folder 755 var/instance',
        'folder 755 var/relstorage/cache',
        'folder 755 var/run',
        'folder 755 var/sqlite',
      ],
      removed: [],
      // "everything" names the whole folder, and so does a price.
      warnings: ['parts/instance/etc/zope.conf:12', 'parts/instance/etc/zope.conf:43'],
      leftovers: [
        'parts/instance/etc/zope.conf:11 /etc/ssl/certs/ca-certificates.crt',
        '.env:3 /home/u/plone2',
        'parts/instance/etc/package-includes/998-resources-configure.zcml:7 /usr/share/plone/extra.zcml',
      ],
    },
  };

  for (const era of ERAS)
    it(`holds what ${era} needs, and reports the rest`, async (t) => {
      const folder = instanceFixture(t, era);
      const before = snapshot(folder);
      const output = join(scratch(t), 'out');
      const result = await instance({ folder, output });
      const wanted = expected[era];
      assert.deepEqual([result.folder, result.mount, result.era], [output, '/opt', wanted.era]);
      // A folder that has something in it goes without saying.
      const names = namesIn(output).filter(
        (line) => !line.startsWith('folder') || readdirSync(join(output, line.split(' ')[2] ?? '')).length === 0,
      );
      assert.deepEqual(names.toSorted(), wanted.names);
      assert.ok(readFileSync(join(output, 'instance.py'), 'utf8').includes(wanted.arguments));
      assert.deepEqual(result.removed, wanted.removed);
      assert.deepEqual(placesOf(folder, result.warnings), wanted.warnings);
      assert.deepEqual(
        result.leftovers.map(({ file, line, path }) => `${file.slice(folder.length + 1)}:${line} ${path}`),
        wanted.leftovers,
      );
      assert.deepEqual(snapshot(folder), before, 'the folder itself stays');
      assert.deepEqual([result.backups, result.diff], [[], null]);
    });

  for (const era of ERAS)
    it(`says nothing of the machine it was made on, but in comments and leftovers: ${era}`, async (t) => {
      const output = join(scratch(t), 'out');
      await instance({ folder: fixture('instances', era), output });
      for (const line of snapshot(output).flatMap((text) => text.split('\n'))) {
        if (/(^\s*|\.env )(#|<!--)/.test(line) || line.includes('https://')) continue;
        assert.doesNotMatch(line, /(?<!\))\/home\/u\/plone(?!\w|\.log|\/\.\.)/);
      }
    });

  it('goes where the mount says', async (t) => {
    const output = join(scratch(t), 'out');
    const { mount } = await instance({ folder: fixture('instances', 'plone-5.2'), output, mount: '/srv/my plone/' });
    assert.equal(mount, '/srv/my plone');
    const conf = readFileSync(join(output, 'parts/instance/etc/zope.conf'), 'utf8');
    assert.match(conf, /^%define INSTANCEHOME \/srv\/my plone\/parts\/instance$/m);
    assert.ok(
      readFileSync(join(output, 'instance.py'), 'utf8').includes('"/srv/my plone/parts/instance/etc/wsgi.ini"'),
    );
  });

  it('is of the part that is asked for', async (t) => {
    const folder = instanceFixture(t, 'plone-5.2');
    const files = ['parts/instance/etc/zope.conf', 'parts/instance/etc/wsgi.ini', 'bin/instance'];
    cpSync(join(folder, 'parts/instance'), join(folder, 'parts/client1'), { recursive: true });
    for (const file of files)
      writeFileSync(
        join(folder, file.replace('instance', 'client1')),
        readFileSync(join(folder, file), 'utf8').replaceAll('parts/instance', 'parts/client1'),
      );
    const output = join(scratch(t), 'out');
    await instance({ folder, output, part: 'client1' });
    assert.ok(!existsSync(join(output, 'parts/instance')));
    assert.ok(readFileSync(join(output, 'instance.py'), 'utf8').includes('/opt/parts/client1/etc/wsgi.ini'));
  });

  it('knows the folder by its link, and by where it was', async (t) => {
    const real = instanceFixture(t, 'plone-5.2');
    const folder = join(scratch(t), 'link');
    symlinkSync(real, folder);
    const conf = join(real, 'parts/instance/etc/zope.conf');
    writeFileSync(conf, `${readFileSync(conf, 'utf8')}products ${folder}/a\nproducts ${real}/b\n`);
    for (const name of ['a', 'b']) mkdirSync(join(real, name));
    const output = join(scratch(t), 'out');
    const { leftovers } = await instance({ folder, output });
    assert.equal(leftovers.length, 1);
    assert.match(
      readFileSync(join(output, 'parts/instance/etc/zope.conf'), 'utf8'),
      /\nproducts \/opt\/a\nproducts \/opt\/b\n$/,
    );
    for (const name of ['a', 'b']) assert.ok(statSync(join(output, name)).isDirectory());
  });

  it('has links, and what they lead to within the folder', async (t) => {
    const folder = instanceFixture(t, 'zope-2.13');
    mkdirSync(join(folder, 'src/Linked'));
    writeFileSync(join(folder, 'src/Linked/__init__.py'), '');
    mkdirSync(join(folder, 'src/Linked/.git'));
    symlinkSync('../src/Linked', join(folder, 'products/Linked'));
    symlinkSync('/home/u/plone/src/Linked', join(folder, 'products/Absolute'));
    symlinkSync('/srv/products/Far', join(folder, 'products/Far'));
    symlinkSync('../../elsewhere', join(folder, 'products/Near'));
    symlinkSync('.', join(folder, 'products/Loop'));
    const output = join(scratch(t), 'out');
    const { leftovers } = await instance({ folder, output });
    const links = snapshot(output).filter((line) => line.startsWith('link'));
    assert.deepEqual(links, [
      'link products/Absolute /opt/src/Linked',
      'link products/Far /srv/products/Far',
      'link products/Linked ../src/Linked',
      'link products/Loop .',
      'link products/Near ../../elsewhere',
    ]);
    assert.deepEqual(readdirSync(join(output, 'src/Linked')), ['__init__.py']);
    assert.deepEqual(
      leftovers.filter(({ line }) => line === null).map(({ path }) => path),
      ['/srv/products/Far', '../../elsewhere'],
    );
  });

  it('has no database, and says so', async (t) => {
    const folder = instanceFixture(t, 'zope-2.13');
    mkdirSync(join(folder, 'var/filestorage'), { recursive: true });
    writeFileSync(join(folder, 'var/filestorage/Data.fs'), 'data');
    const output = join(scratch(t), 'out');
    const { warnings } = await instance({ folder, output });
    assert.ok(placesOf(folder, warnings).includes('parts/instance/etc/zope.conf:66'));
    assert.deepEqual(readdirSync(join(output, 'var/filestorage')), []);
    const inPlace = await instance({ folder, inPlace: true });
    assert.ok(!placesOf(folder, inPlace.warnings).includes('parts/instance/etc/zope.conf:66'));
  });

  it('belongs to whom the folder belongs, whatever the umask', { skip: noRoot() }, async (t) => {
    const folder = instanceFixture(t, 'zope-2.13');
    execFileSync('chown', ['-R', '1000:1000', folder]);
    chownSync(join(folder, 'parts/instance/inituser'), 1001, 1001);
    chmodSync(join(folder, 'parts/instance/inituser'), 0o600);
    const output = join(scratch(t), 'out');
    const umask = process.umask(0o077);
    try {
      await instance({ folder, output });
    } finally {
      process.umask(umask);
    }
    const owners = readdirSync(output, { recursive: true, encoding: 'utf8' }).map((name) => {
      const { uid, mode } = statSync(join(output, name));
      return `${uid} ${(mode & 0o777).toString(8)} ${name}`;
    });
    assert.deepEqual(owners.filter((line) => !/^1000 (644|755) /.test(line)).toSorted(), [
      '1000 700 var/blobstorage',
      '1001 600 parts/instance/inituser',
    ]);
    assert.equal(statSync(output).uid, 1000);
  });

  it('fills an empty folder, and never another', async (t) => {
    const folder = fixture('instances', 'plone-5.2');
    const output = scratch(t);
    await instance({ folder, output });
    const written = snapshot(output);
    await assert.rejects(instance({ folder, output }), hasCode('LOCAL_IO'));
    await assert.rejects(instance({ folder, output: join(output, 'instance.py') }), hasCode('LOCAL_IO'));
    await assert.rejects(instance({ folder, output: join(output, 'no/such/out') }), hasCode('LOCAL_IO'));
    assert.deepEqual(snapshot(output), written);
  });

  it('appears as a whole or not at all', async (t) => {
    const folder = instanceFixture(t, 'zope-2.13');
    const place = scratch(t);
    const controller = new AbortController();
    controller.abort();
    await assert.rejects(
      instance({ folder, output: join(place, 'out'), signal: controller.signal }),
      hasCode('ABORTED'),
    );
    assert.deepEqual(readdirSync(place), []);
    if (process.geteuid?.() === 0) execFileSync('chown', ['-R', '65534', place, folder]);
    chmodSync(join(folder, '..'), 0o755);
    chmodSync(join(folder, 'products/Example/__init__.py'), 0);
    await asPlainUser(async () => {
      await assert.rejects(instance({ folder, output: join(place, 'out') }), hasCode('LOCAL_IO'));
    });
    assert.deepEqual(readdirSync(place), []);
  });

  const refused: readonly (readonly [name: string, spoil: (folder: string) => void, code: ErrorCode])[] = [
    ['no parts/instance', (folder) => rmSync(join(folder, 'parts/instance'), { recursive: true }), 'INPUT_ABSENT'],
    ['no parts at all', (folder) => rmSync(join(folder, 'parts'), { recursive: true }), 'INPUT_ABSENT'],
    ['no zope.conf', (folder) => rmSync(join(folder, 'parts/instance/etc/zope.conf')), 'INPUT_ABSENT'],
    ['no folder', (folder) => rmSync(folder, { recursive: true }), 'INPUT_ABSENT'],
    [
      'a file for a folder',
      (folder) => {
        rmSync(folder, { recursive: true });
        writeFileSync(folder, '');
      },
      'INPUT_ABSENT',
    ],
    [
      'a section without an end',
      (folder) => writeFileSync(join(folder, 'parts/instance/etc/zope.conf'), '<zodb_db main>\n'),
      'INPUT_MALFORMED',
    ],
    [
      'an included section without an end',
      (folder) => writeFileSync(join(folder, 'etc/logging.conf'), '<logger x>\n'),
      'INPUT_MALFORMED',
    ],
    [
      'something else than UTF-8',
      (folder) => writeFileSync(join(folder, 'parts/instance/etc/zope.conf'), Buffer.from('# \xe4\n', 'latin1')),
      'INPUT_MALFORMED',
    ],
    [
      'a configuration elsewhere',
      (folder) => writeFileSync(join(folder, 'bin/instance'), "x.main(\n ['-C', '/etc/zope.conf']\n + sys.argv[1:])"),
      'INPUT_REFUSED',
    ],
  ];
  for (const [name, spoil, code] of refused)
    it(`is refused, leaving nothing: ${name}`, async (t) => {
      const folder = instanceFixture(t, 'zope-2.13');
      spoil(folder);
      const place = scratch(t);
      await assert.rejects(instance({ folder, output: join(place, 'out') }), hasCode(code));
      assert.deepEqual(readdirSync(place), []);
    });

  const wrong = [{ mount: 'opt' }, { mount: '/' }, { mount: '/a/../b' }, { part: '' }, { part: '../x' }, { part: '.' }];
  for (const options of wrong)
    it(`is asked for wrongly: ${JSON.stringify(options)}`, async () => {
      await assert.rejects(instance({ folder: fixture('instances', 'plone-6'), ...options }), hasCode('USAGE'));
    });
});

describe('an instance in place', () => {
  for (const era of ERAS)
    it(`is what the copy is, with what was there beside it: ${era}`, async (t) => {
      const folder = instanceFixture(t, era);
      const original = instanceFixture(t, era);
      const output = join(scratch(t), 'out');
      await instance({ folder, output });
      const { backups, folder: written } = await instance({ folder, inPlace: true });
      assert.equal(written, folder);
      const now = new Set(snapshot(folder));
      for (const line of snapshot(output)) assert.ok(now.has(line), line);
      for (const name of ['site.py', 'sitecustomize.py']) assert.ok(!existsSync(join(folder, 'parts/instance', name)));
      for (const backup of backups) {
        const [kept, was] = [join(folder, backup), join(original, backup.replace(/\.orig$/, ''))];
        if (statSync(was).isDirectory()) assert.deepEqual(snapshot(kept), snapshot(was));
        else assert.equal(readFileSync(kept, 'utf8'), readFileSync(was, 'utf8'));
      }
      assert.ok(backups.includes('parts/instance.orig'));
      assert.deepEqual(readdirSync(join(folder, 'parts')).toSorted(), ['instance', 'instance.orig']);

      const settled = snapshot(folder);
      const again = await instance({ folder, inPlace: true });
      assert.deepEqual([again.changed, again.removed, again.backups], [[], [], []]);
      assert.deepEqual(snapshot(folder), settled, 'a second time changes nothing');
    });

  it('is refused where a backup of something else is there', async (t) => {
    const folder = instanceFixture(t, 'plone-5.2');
    mkdirSync(join(folder, 'parts/instance.orig'));
    const before = snapshot(folder);
    await assert.rejects(instance({ folder, inPlace: true }), hasCode('LOCAL_IO'));
    assert.deepEqual(snapshot(folder), before);
  });

  it('takes a backup of the same as its own', async (t) => {
    const folder = instanceFixture(t, 'plone-6');
    for (const name of ['parts/instance', 'etc/custom.ini'])
      cpSync(join(folder, name), join(folder, `${name}.orig`), { recursive: true });
    const kept = snapshot(join(folder, 'parts/instance.orig'));
    const { backups } = await instance({ folder, inPlace: true });
    assert.ok(backups.includes('parts/instance.orig'));
    assert.deepEqual(snapshot(join(folder, 'parts/instance.orig')), kept);
    assert.match(readFileSync(join(folder, 'parts/instance/etc/zope.conf'), 'utf8'), /INSTANCEHOME \/opt\//);
  });

  it('goes back to what it was where it fails on the way', async (t) => {
    const folder = instanceFixture(t, 'plone-6');
    // The last file but instance.py and the part itself is in a folder that nobody may write to.
    mkdirSync(join(folder, 'folder'));
    writeFileSync(join(folder, 'folder/last.conf'), '<environment>\n  A /home/u/plone/x\n</environment>\n');
    const conf = join(folder, 'parts/instance/etc/zope.conf');
    writeFileSync(conf, `${readFileSync(conf, 'utf8')}%include /home/u/plone/folder/last.conf\n`);
    if (process.geteuid?.() === 0) execFileSync('chown', ['-R', '65534', join(folder, '..')]);
    chmodSync(join(folder, 'folder'), 0o555);
    const before = snapshot(folder).filter((line) => !/^folder \d+ var/.test(line));
    await asPlainUser(async () => {
      await assert.rejects(instance({ folder, inPlace: true }), hasCode('LOCAL_IO'));
    });
    chmodSync(join(folder, 'folder'), 0o555);
    assert.deepEqual(
      snapshot(folder).filter((line) => !/^folder \d+ var/.test(line)),
      before,
    );
  });

  it('excludes an output', async () => {
    await assert.rejects(
      instance({ folder: fixture('instances', 'plone-6'), inPlace: true, output: 'x' }),
      hasCode('USAGE'),
    );
  });
});

describe('the diff of an instance', () => {
  for (const era of ERAS)
    it(`is what patch makes the same of, and nothing is written: ${era}`, { skip: missing('patch') }, async (t) => {
      const folder = instanceFixture(t, era);
      // A masked password is in no file.
      const conf = join(folder, 'parts/instance/etc/zope.conf');
      writeFileSync(conf, readFileSync(conf, 'utf8').replace(/ password=\S+/, ''));
      const before = snapshot(folder);
      const { diff } = await instance({ folder, inPlace: true, dryRun: true });
      const copy = await instance({ folder, output: join(folder, '..', 'out'), dryRun: true });
      assert.equal(copy.diff, diff);
      assert.ok(!existsSync(join(folder, '..', 'out')));
      assert.deepEqual(snapshot(folder), before);

      const patched = join(scratch(t), 'patched');
      cpSync(folder, patched, { recursive: true });
      execFileSync('patch', ['-p1', '--silent', '--directory', patched], { input: diff ?? '' });
      await instance({ folder, inPlace: true });
      const contents = (place: string): readonly string[] =>
        snapshot(place)
          .filter((line) => line.startsWith('file') && !line.includes('.orig'))
          .map((line) => line.replace(/^file \d+ /, ''));
      assert.deepEqual(contents(patched), contents(folder));
    });

  it('shows no password', async () => {
    const { diff } = await instance({ folder: fixture('instances', 'plone-6'), dryRun: true });
    assert.match(diff ?? '', /\+ +dsn .*host='\/opt\/var\/pg' password=\*\*\*/);
    assert.doesNotMatch(diff ?? '', /unmistakable/);
  });
});

function noRoot(): string | false {
  return process.geteuid?.() === 0 ? false : 'giving files away needs root';
}
