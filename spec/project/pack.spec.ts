import assert from 'node:assert/strict';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type PackOptions, exportTarball, pack } from '../../src/index.ts';
import { cleanEnvironment, runCli } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { containersUnavailable, runContainer } from '../support/container.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import { type Folder, documentsOf, labFolder, writeApp } from '../support/packed.ts';
import { type PinnedWheels, downloadPins } from '../support/pinned-wheels.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { wheelhouse } from '../support/wheels.ts';

const nix = await nixpkgsFixture();
const noNix = nix.skip || missing('bwrap');

const WEB = `
from http.server import BaseHTTPRequestHandler, HTTPServer
import base

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(base.TEXT.encode())

if __name__ == "__main__":
    HTTPServer(("", 8080), Handler).serve_forever()
`;

const BUILDOUT = `[buildout]
parts = web
find-links = wheels
index = wheels

[web]
recipe = collective.recipe.nix
eggs = web

[versions]
web = 1.0

[image]
recipe = oci-plone
cmd = -m web
env =
    GREETING=hello
    OTHER=1
labels = org.x=buildout
volumes = /data
stop-signal = SIGINT
tag = 1.0
`;

const env = cleanEnvironment();

describe('pack, from a buildout', { skip: noNix }, () => {
  let lab: Folder;
  let input: string;
  const at = (name: string): string => join(lab.folder, name);
  const packed = async (options: Partial<PackOptions> = {}): ReturnType<typeof pack> =>
    pack({ input, output: at('web.oci'), offline: true, env, ...options });
  before(async () => {
    lab = await labFolder();
    await mkdir(at('project'));
    input = at('project/buildout.cfg');
    await writeFile(input, BUILDOUT);
    wheelhouse(at('project/wheels'), [
      { name: 'web', version: '1.0', requires: ['base'], modules: { 'web.py': WEB } },
      { name: 'base', version: '1.0', modules: { 'base.py': 'TEXT = "hello from a buildout"\n' } },
    ]);
  });
  after(() => lab.remove());

  it('builds offline, leaves a lock and nothing else, and packs nothing the second time', async () => {
    const first = await packed();
    assert.deepEqual((await readdir(at('project'))).sort(), ['buildout.cfg', 'buildout.cfg.lock.json', 'wheels']);
    const lock = await readFile(at('project/buildout.cfg.lock.json'), 'utf8');
    assert.doesNotMatch(lock, /wheels/);
    const second = await packed({ frozen: true });
    assert.deepEqual([second.unchanged, second.digest], [true, first.digest]);
    // Where the buildout lies, and how it is called, is not in the image.
    await cp(at('project'), at('other'), { recursive: true });
    assert.equal((await packed({ input: at('other/buildout.cfg'), output: at('other.oci') })).digest, first.digest);
  });

  it('takes from [image] what the caller does not say', async () => {
    await packed();
    const { config, manifest } = documentsOf(at('web.oci'), '1.0');
    const { Cmd, Env, Volumes, StopSignal, Labels } = config.config;
    assert.deepEqual([Cmd, Volumes, StopSignal], [['-m', 'web'], { '/data': {} }, 'SIGINT']);
    assert.ok(Array.isArray(Env) && Env.includes('GREETING=hello') && Env.includes('OTHER=1'), String(Env));
    assert.equal(Labels?.['org.x'], 'buildout');
    assert.equal(manifest.annotations, undefined);

    const said = {
      cmd: ['-c', '1'],
      environment: ['GREETING=bye'],
      labels: { 'org.y': 'y' },
      tag: '2.0',
      volumes: ['/x'],
    };
    await packed({ ...said, output: at('said.oci') });
    const other = documentsOf(at('said.oci'), '2.0').config.config;
    assert.deepEqual([other['Cmd'], other['Volumes'], other['StopSignal']], [['-c', '1'], { '/x': {} }, 'SIGINT']);
    const variables: unknown = other['Env'];
    assert.ok(Array.isArray(variables) && variables.includes('GREETING=bye') && variables.includes('OTHER=1'));
    assert.equal(other.Labels?.['org.x'], 'buildout');
    assert.equal(other.Labels?.['org.y'], 'y');
  });

  it('says that [image] is not used where it has no recipe', async () => {
    const notes: string[] = [];
    const without = at('project/without.cfg');
    await writeFile(without, BUILDOUT.replace('recipe = oci-plone\n', ''));
    await packed({
      input: without,
      output: at('without.oci'),
      onProgress: (event) => (event.kind === 'note' ? notes.push(event.text) : undefined),
    });
    assert.ok(notes.includes('[image] is not used: it has no "recipe = oci-plone"'), notes.join('\n'));
  });

  it('runs as the image says', { skip: containersUnavailable() }, async () => {
    await packed();
    const container = await runContainer({ layout: at('web.oci'), tag: '1.0', readOnly: true });
    const { body } = await container.get('/');
    await container.stop();
    assert.equal(body, 'hello from a buildout');
  });

  it('by its name writes ./NAME.oci, by the command line', async () => {
    const { code, stdout, stderr } = await runCli(['pack', 'project/buildout.cfg', '--offline', '--frozen'], {
      cwd: lab.folder,
    });
    assert.equal(code, 0, stderr);
    assert.equal(stdout, `${documentsOf(at('web.oci'), '1.0').descriptor.digest}\n`);
    const named = await runCli(['pack', 'project/buildout.cfg', 'web:name=site', 'image:tag=x', '--offline', '-q'], {
      cwd: lab.folder,
    });
    assert.deepEqual([named.code, named.stderr], [0, '']);
    assert.equal(documentsOf(at('site.oci'), 'x').config.config['StopSignal'], 'SIGINT');
  });

  it('an expression of [image], and the tarball in the middle', async () => {
    await writeFile(at('project/app.nix'), await readFile(fixture('expressions', 'tiny.nix')));
    await writeFile(
      at('project/app.cfg'),
      '[buildout]\nparts =\n[image]\nrecipe = oci-plone\nexpression = app.nix\ntag = t\n',
    );
    const direct = await pack({ input: at('project/app.nix'), output: at('direct.oci'), env });
    const result = await pack({ input: at('project/app.cfg'), output: at('app.oci'), env });
    assert.equal(result.digest, direct.digest);
    const tarball = await exportTarball({ input, output: at('web.nix.tar'), offline: true, env });
    assert.ok(
      tarball.storePaths.some((path) => path.endsWith('-web-1.0')),
      tarball.storePaths.join('\n'),
    );
  });

  it('the instance that [image] names, of two', async () => {
    const recipe = 'recipe = plone.recipe.zope2instance\n';
    const two = `[buildout]\nindex = wheels\nfind-links = wheels\nparts =\n[a]\n${recipe}eggs = nosuch\n[b]\n${recipe}eggs = web\n`;
    wheelhouse(at('project/wheels'), [
      { name: 'plone.recipe.zope2instance', version: '1.0', requires: ['zc.buildout'] },
      { name: 'zc.buildout', version: '1.0' },
    ]);
    await writeFile(at('project/two.cfg'), two);
    const options = {
      input: at('project/two.cfg'),
      output: at('two.oci'),
      offline: true,
      instance: false,
      env,
    } as const;
    await assert.rejects(pack(options), hasCode('USAGE'));
    await writeFile(at('project/two.cfg'), `${two}[image]\nrecipe = oci-plone\ninstance = b\n`);
    const { layers } = await pack(options);
    assert.ok(layers.some(({ storePaths }) => storePaths.some((path) => path.endsWith('-web-1.0'))));
  });

  describe('to the reference of [image]', { skip: missing('docker-registry') }, () => {
    let registry: Registry;
    before(async () => {
      registry = await startRegistry();
      await writeFile(
        at('project/push.cfg'),
        `[buildout]\nextends = buildout.cfg\n[image]\nreference = ${registry.host}/web:1\n`,
      );
    });
    after(() => registry.stop());

    it('pushes, unless the caller names a place', async () => {
      const options = { input: at('project/push.cfg'), offline: true, env };
      const pushed = await pack(options);
      assert.deepEqual([pushed.references, pushed.layout], [[`${registry.host}/web:1`], null]);
      const kept = await pack({ ...options, output: at('kept.oci') });
      assert.deepEqual(kept.references, [`${at('kept.oci')}:1.0`]);
      const both = await pack({ ...options, output: at('kept.oci'), push: [`${registry.host}/web:2`] });
      assert.deepEqual(both.references, [`${at('kept.oci')}:1.0`, `${registry.host}/web:2`]);
      assert.equal(both.digest, pushed.digest);
    });
  });

  it('refuses what means nothing with another input', async () => {
    const app = await writeApp(at('app.nix.tar'));
    for (const option of [
      { frozen: true },
      { part: 'x' },
      { upgrade: 'all' },
      { indexes: ['x'] },
      { python: '3.11.2' },
    ] as const)
      await assert.rejects(pack({ input: app, output: at('no.oci'), env, ...option }), hasCode('USAGE'));
    for (const args of [['web'], ['--frozen'], ['--upgrade'], ['--image', 'image'], ['web:name=x']])
      assert.equal((await runCli(['pack', 'app.nix.tar', ...args], { cwd: lab.folder })).code, 2, args.join(' '));
  });
});

/** Of a distribution that is nowhere: whoever begins to resolve gets no further than that. */
describe('what is wrong with an image is said before its buildout is resolved', () => {
  let lab: Folder;
  before(async () => (lab = await labFolder()));
  after(() => lab.remove());
  const input = async (image: string): Promise<string> => {
    const file = join(lab.folder, 'buildout.cfg');
    const index = `index = ${lab.folder}\nfind-links = ${lab.folder}`;
    const web = '[web]\nrecipe = collective.recipe.nix\neggs = nowhere';
    await writeFile(file, `[buildout]\nparts = web\n${index}\n${web}\n[image]\nrecipe = oci-plone\n${image}\n`);
    return file;
  };
  const output = (): string => join(lab.folder, 'web.oci');

  it('resolving ends with the distribution', async () => {
    const options = { input: await input('user = 500'), output: output(), env };
    await assert.rejects(pack(options), { message: /nowhere/ });
    await assert.rejects(exportTarball({ ...options, output: join(lab.folder, 'web.nix.tar') }), {
      message: /nowhere/,
    });
  });

  for (const setting of [
    'ports = 99999',
    'user = a b',
    'workdir = app',
    'volumes = data',
    'stop-signal = TERM',
    'platform = amd64/',
    'tag = a b',
    'reference = r.example.org/UPPER',
    'env = =x',
  ])
    it(`${setting}: where it is written, and what was expected`, async () => {
      const name = setting.split(' ')[0] ?? '';
      await assert.rejects(pack({ input: await input(setting), output: output(), env }), {
        code: 'INPUT_MALFORMED',
        message: new RegExp(`^\\[image\\] ${name} \\(.*buildout\\.cfg:10\\): `),
      });
    });

  const options: Record<string, Partial<PackOptions>> = {
    ports: { ports: ['99999'] },
    tag: { tag: 'a b' },
    push: { push: ['r.example.org/UPPER'] },
    output: { output: 'web.tar.gz' },
    timeout: { timeout: -1 },
  };
  for (const [name, option] of Object.entries(options))
    it(`an option: ${name}`, async () => {
      const call = pack({ input: await input('user = 500'), output: output(), env, ...option });
      await assert.rejects(call, hasCode('USAGE'));
    });

  it('an output that is something else', async () => {
    const file = await input('user = 500');
    await assert.rejects(
      pack({ input: file, output: lab.folder, env }),
      (error: Error) => !/nowhere/.test(error.message),
    );
  });
});

/** The fixture with real packages, from pip's index: in a container it answers with what it got. */
describe('pack, from the fixture buildout', async () => {
  const versions = fixture('buildout', 'versions.cfg');
  const wheels: PinnedWheels | null = noNix === false ? await downloadPins(versions) : null;
  const skip = noNix || (wheels?.skip ?? false) || containersUnavailable();
  let lab: Folder;
  before(async () => {
    lab = await labFolder();
    await cp(fixture('buildout'), join(lab.folder, 'buildout'), { recursive: true });
  });
  after(async () => {
    await lab.remove();
    await wheels?.remove();
  });

  const ways: readonly (readonly [way: string, choices: () => Partial<PackOptions>])[] = [
    ['offline from a wheelhouse', () => ({ indexes: [wheels?.folder ?? ''], offline: true })],
    ['online from the index', () => ({})],
  ];
  for (const [way, choices] of ways)
    it(way, { skip }, async () => {
      const folder = join(lab.folder, way.split(' ')[0] ?? '');
      await cp(join(lab.folder, 'buildout'), folder, { recursive: true });
      const layout = join(lab.folder, `${way.split(' ')[0]}.oci`);
      await pack({ input: join(folder, 'buildout.cfg'), output: layout, env, ...choices() });
      const container = await runContainer({ layout, readOnly: true });
      const { body } = await container.get('/');
      await container.stop();
      assert.match(body, /Hello world![^]*SERVER_SOFTWARE = 'waitress'/);
    });
});
