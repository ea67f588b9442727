import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CHOICES, type PackOptions, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import {
  APP_PATH,
  type Entry,
  type Folder,
  type Listed,
  documentsOf,
  filesOf,
  labFolder,
  writeApp,
} from '../support/packed.ts';

const nix = await nixpkgsFixture();
const CERTIFICATES = `${APP_PATH.slice(1)}/etc/ssl/certs/ca-bundle.crt`;

describe('the defaults that make Python work in an image from scratch', () => {
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
  });
  after(() => lab.remove());

  async function packed(
    options: Partial<PackOptions>,
    more: readonly Entry[] = [],
  ): Promise<{ files: ReadonlyMap<string, Listed>; env: unknown; config: Readonly<Record<string, unknown>> }> {
    const input = await writeApp(join(lab.folder, 'app.nix.tar'), { more });
    const output = join(lab.folder, 'app.oci');
    await pack({ input, output, env: {}, ...options });
    const { config } = documentsOf(output).config;
    return { files: await filesOf(output), env: config['Env'], config };
  }

  it('are an empty /tmp that everybody may write to', async () => {
    const { files } = await packed({});
    assert.equal(files.get('tmp/')?.type, 'directory');
    assert.equal(files.get('tmp/')?.mode, 0o1777);
  });

  it('put the mode of a tarball’s own /tmp right, and keep what is in it', async () => {
    const { files } = await packed({}, [
      { name: 'tmp/', type: 'directory', mode: 0o755 },
      { name: 'tmp/kept', content: 'kept' },
    ]);
    assert.equal(files.get('tmp/')?.mode, 0o1777);
    assert.equal(files.get('tmp/kept')?.content, 'kept');
  });

  it('are names for root and for uid 1000', async () => {
    const { files } = await packed({});
    const [passwd, group] = [files.get('etc/passwd'), files.get('etc/group')];
    assert.match(passwd?.content ?? '', /^root:x:0:0:.*\n[a-z]+:x:1000:1000:[^:]*:\/tmp:[^:]*\n$/);
    assert.match(group?.content ?? '', /^root:x:0:\n[a-z]+:x:1000:\n$/);
    assert.deepEqual([passwd?.mode, group?.mode], [0o644, 0o644]);
  });

  it('name the user and group that the image has', async () => {
    const { files } = await packed({ user: '1234:99' });
    assert.match(files.get('etc/passwd')?.content ?? '', /:x:1234:99:/);
    assert.match(files.get('etc/group')?.content ?? '', /:x:99:/);
  });

  it('keep a tarball’s own passwd and the rest of its /etc', async () => {
    const { files } = await packed({}, [
      { name: 'etc/', type: 'directory', mode: 0o750 },
      { name: 'etc/passwd', content: 'own\n' },
      { name: 'etc/hosts', content: 'hosts\n' },
    ]);
    assert.equal(files.get('etc/passwd')?.content, 'own\n');
    assert.equal(files.get('etc/hosts')?.content, 'hosts\n');
    assert.match(files.get('etc/group')?.content ?? '', /1000/);
    assert.equal(files.get('etc/')?.mode, 0o750);
  });

  it('are folders for volumes that the image’s user may write to', async () => {
    const volumes = ['/data', '/srv/blobs/', '/etc', '/tmp', '/own'];
    const { files } = await packed({ volumes, user: '1234:99' }, [{ name: 'own/', type: 'directory', mode: 0o700 }]);
    const brief = (name: string): unknown => {
      const { mode, uid, gid } = files.get(name) ?? {};
      return [mode, uid, gid];
    };
    assert.deepEqual(brief('data/'), [0o770, 1234, 99]);
    assert.deepEqual(brief('srv/'), [0o755, 0, 0]);
    assert.deepEqual(brief('srv/blobs/'), [0o770, 1234, 99]);
    assert.deepEqual(brief('etc/'), [0o755, 0, 0], 'it has something in it');
    assert.deepEqual(brief('tmp/'), [0o1777, 0, 0], 'it is everybody’s');
    assert.deepEqual(brief('own/'), [0o700, 1234, 99]);
  });

  it('have a volume’s owner whatever its number is', async () => {
    const { files } = await packed({ volumes: ['/data'], user: '3000000000:4000000000' });
    assert.deepEqual(files.get('data/')?.pax, { uid: '3000000000', gid: '4000000000' });
  });

  it('name the certificates that are there, and none where there are none', async () => {
    assert.deepEqual((await packed({})).env, ['PATH=/app/bin', 'HOME=/tmp']);
    const { env } = await packed({}, [{ name: CERTIFICATES, content: 'pem' }]);
    assert.deepEqual(env, ['PATH=/app/bin', 'HOME=/tmp', `SSL_CERT_FILE=/${CERTIFICATES}`]);
  });

  it('name the certificates of a closure', { skip: nix.skip || missing('bwrap') }, async () => {
    const output = join(lab.folder, 'certificates.oci');
    const { layers } = await pack({
      input: fixture('expressions', 'certificates.nix'),
      output,
      env: cleanEnvironment(),
    });
    const env = documentsOf(output).config.config['Env'];
    const named = find(env, 'SSL_CERT_FILE=')?.slice('SSL_CERT_FILE='.length) ?? '';
    assert.ok(
      layers[0]?.storePaths.some((path) => named.startsWith(`${path}/`)),
      named,
    );
    assert.match((await filesOf(output)).get(named.slice(1))?.content ?? '', /BEGIN CERTIFICATE/);
  });

  const without: Readonly<
    Record<(typeof CHOICES.without)[number], (all: Awaited<ReturnType<typeof packed>>) => unknown>
  > = {
    tmp: ({ files }) => files.get('tmp/'),
    passwd: ({ files }) => files.get('etc/passwd') ?? files.get('etc/group') ?? files.get('etc/'),
    home: ({ env }) => find(env, 'HOME='),
    path: ({ env }) => find(env, 'PATH='),
    certificates: ({ env }) => find(env, 'SSL_CERT_FILE='),
    ports: ({ config }) => config['ExposedPorts'],
    user: ({ config }) => config['User'],
    volumes: ({ files }) => files.get('data/'),
  };
  for (const name of CHOICES.without)
    it(`can be switched off: ${name}`, async () => {
      // Without the user's own entry /etc exists no more; the certificates lie in the store.
      const more = [{ name: CERTIFICATES, content: 'pem' }];
      assert.notEqual(without[name](await packed({ volumes: ['/data'] }, more)), undefined);
      assert.equal(without[name](await packed({ volumes: ['/data'], without: [name] }, more)), undefined);
    });

  it('leave a tarball’s own /tmp as it is when that is asked for', async () => {
    const { files } = await packed({ without: ['tmp'] }, [{ name: 'tmp/', type: 'directory', mode: 0o700 }]);
    assert.equal(files.get('tmp/')?.mode, 0o700);
  });
});

function find(env: unknown, start: string): string | undefined {
  return Array.isArray(env) ? env.map(String).find((pair) => pair.startsWith(start)) : undefined;
}
