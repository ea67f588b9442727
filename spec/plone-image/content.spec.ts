import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { pack } from '../../src/index.ts';
import { runCli } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { runContainer } from '../support/container.ts';
import { type Folder, type Listed, blobOf, documentsOf, entriesOf, labFolder } from '../support/packed.ts';
import { type PloneImage, ploneImage, skipPloneImage } from '../support/plone-image.ts';

const run = promisify(execFile);
const skip = await skipPloneImage();

describe('an image of Plone, from five lines of buildout', { skip, timeout: 3_600_000 }, () => {
  let lab: Folder;
  let image: PloneImage;
  before(async () => {
    lab = await labFolder();
    image = await ploneImage();
  });
  after(() => lab?.remove());

  /** The small layer beside the store paths. */
  async function files(layout: string): Promise<ReadonlyMap<string, Listed>> {
    const { digest = '' } = documentsOf(layout).manifest.layers[1] ?? {};
    return new Map((await entriesOf(blobOf(layout, digest))).map((entry) => [entry.name, entry]));
  }

  it('starts Plone by its own program, with its data on a volume', async () => {
    const { config } = documentsOf(image.layout).config;
    const { Entrypoint, Cmd, User, WorkingDir, Volumes, StopSignal, ExposedPorts } = config;
    assert.deepEqual([Entrypoint, Cmd, User, WorkingDir], [['/app/bin/python'], ['start'], '1000', '/opt']);
    assert.deepEqual([Volumes, StopSignal, ExposedPorts], [{ '/data': {} }, 'SIGINT', { '8080/tcp': {} }]);
    const { type, mode, uid, gid } = (await files(image.layout)).get('data/') ?? {};
    assert.deepEqual([type, mode, uid, gid], ['directory', 0o770, 1000, 1000]);
  });

  it('has the recipe’s configuration with the container’s paths, and its logs on stdout', async () => {
    const all = await files(image.layout);
    const text = (name: string): string => all.get(`opt/parts/instance/etc/${name}`)?.content ?? '';
    assert.match(text('zope.conf'), /^instancehome \$INSTANCEHOME$/m);
    assert.match(text('zope.conf'), /path \/data\/filestorage\/Data\.fs/);
    assert.match(text('wsgi.ini'), /^zope_conf = \/opt\/parts\/instance\/etc\/zope\.conf$/m);
    assert.doesNotMatch(text('wsgi.ini'), /FileHandler/);
    for (const name of ['zope.conf', 'wsgi.ini', 'site.zcml']) {
      assert.notEqual(text(name), '');
      assert.doesNotMatch(text(name), /\/buildout|\/build\/|\/tmp\//, name);
    }
  });

  it('has neither the buildout’s password nor what only its recipe needs', async () => {
    const all = await files(image.layout);
    assert.ok(!all.has('opt/parts/instance/inituser'));
    for (const { name, content } of all.values()) assert.doesNotMatch(content, /admin:admin/, name);
    const { manifest, config } = documentsOf(image.layout);
    for (const document of [manifest, config]) assert.doesNotMatch(JSON.stringify(document), /admin:admin/);
    const names = image.result.layers.flatMap(({ storePaths }) => storePaths).map((path) => path.slice(44));
    for (const unwanted of ['pip', 'wheel', 'zc.buildout', 'zc-buildout', 'zc-recipe-egg', 'zc.recipe.egg'])
      assert.ok(!names.some((name) => name.startsWith(`python3.11-${unwanted}-`)), unwanted);
    for (const wanted of ['products-cmfplone', 'plone-recipe-zope2instance'])
      assert.ok(
        names.some((name) => name.toLowerCase().includes(wanted)),
        wanted,
      );
    // Nor does the store, that whoever builds here may read.
    const store = join(image.options.store ?? '', 'nix/store');
    const made = readdirSync(store).filter((name) => /-request\.json$|-plone-instance$/.test(name));
    assert.ok(made.length >= 2, made.join());
    const found = await run('grep', ['-rl', 'admin:admin', ...made.map((name) => join(store, name))]).catch(() => null);
    assert.equal(found, null);
  });

  it('imports Plone as it says', async () => {
    const args = ['-c', 'import Products.CMFPlone, lxml.etree, PIL.Image, ssl; print("imported")'];
    const container = await runContainer({ layout: image.layout, args, readOnly: true, tmpfs: ['/tmp'] });
    const code = await container.exit();
    await container.stop();
    assert.equal(code, 0, container.output());
    assert.match(container.output(), /imported/);
  });

  it('is unchanged when it is packed again, with nothing packed', async () => {
    let bytes = 0;
    const again = await pack({
      ...image.options,
      onProgress: (event) => {
        if (event.kind === 'pack') bytes = event.bytes;
      },
    });
    assert.deepEqual([again.unchanged, again.digest], [true, image.result.digest]);
    assert.ok(bytes < 1_000_000, `${bytes} bytes`);
  });

  it('has the same digest from another folder', async () => {
    const other = join(lab.folder, 'a', 'project of another');
    await mkdir(other, { recursive: true });
    await cp(image.project, other, { recursive: true });
    const { digest } = await pack({
      ...image.options,
      input: join(other, 'buildout.cfg'),
      output: join(lab.folder, 'o.oci'),
    });
    assert.equal(digest, image.result.digest);
  });

  it('has the buildout’s own password where that is asked for, with a warning', async () => {
    const output = join(lab.folder, 'baked.oci');
    const told: string[] = [];
    const onProgress = (event: { readonly kind: string; readonly text?: string }): void =>
      void told.push(event.text ?? '');
    const overrides = [['instance', 'user', 'boss:baked']] as const;
    await pack({ ...image.options, output, bakeUser: true, overrides, onProgress });
    assert.match((await files(output)).get('opt/parts/instance/inituser')?.content ?? '', /^boss:/);
    assert.ok(
      told.some((text) => text.includes('password')),
      told.join('\n'),
    );
  });

  it('is the environment alone where no instance is wanted', async () => {
    const output = join(lab.folder, 'mounted.oci');
    await pack({ ...image.options, output, instance: false });
    const { config } = documentsOf(output).config;
    assert.deepEqual([config['Cmd'], config['WorkingDir'], config['Volumes']], [undefined, undefined, undefined]);
    assert.ok(![...(await files(output)).keys()].some((name) => name.startsWith('opt/')));
  });

  it('has the one of two instances that is chosen', async () => {
    const input = join(image.project, 'two.cfg');
    const base = readFileSync(join(image.project, 'buildout.cfg'), 'utf8');
    await writeFile(input, `${base}\n[client2]\n<= instance\nhttp-address = 8080\nthreads = 2\n`);
    const options = { ...image.options, input, output: join(lab.folder, 'two.oci') };
    await assert.rejects(pack(options), hasCode('INPUT_MALFORMED'));
    await pack({ ...options, instance: 'client2' });
    const conf = (await files(join(lab.folder, 'two.oci'))).get('opt/parts/client2/etc/wsgi.ini')?.content ?? '';
    assert.match(conf, /^threads = 2$/m);
    await assert.rejects(pack({ ...options, instance: 'versions' }), hasCode('USAGE'));
    const { code } = await runCli(['pack', input, '--instance', 'client2', '--no-instance']);
    assert.equal(code, 2);
  });
});
