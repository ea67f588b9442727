import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import type { ExpressionFile, ExpressionSet, PackageSource } from '../../src/nix/expressions/working-set.ts';
import { shellExpression, writeExpressions } from '../../src/nix/expressions/write.ts';
import { nixpkgsFixture } from '../support/fixtures.ts';
import { errorOf, makeLab, skipNix, told } from '../support/nix-lab.ts';
import type { Lab } from '../support/nix-lab.ts';
import { setOf, wheel, writeFiles } from './expressions.ts';
import { downloadBuildout, inRoot, packSource, packWheel } from './real-packages.ts';

const run = promisify(execFile);
const nixpkgs = await nixpkgsFixture();
const skip = skipNix || nixpkgs.skip;

let lab: Lab;
/** One folder is read by Nix, the other is served: what has the same bytes has the same store path, and is not fetched again. */
let wheels: string;
let served: string;
let server: Server;
let address: string;
const asked: string[] = [];

before(async () => {
  if (skip) return;
  lab = makeLab();
  wheels = join(lab.folder, "wheel's house");
  served = join(lab.folder, 'served');
  for (const folder of [wheels, served]) await makePackages(folder);
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(readFileSync(join(served, decodeURIComponent((request.url ?? '').slice(1)))));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  address = typeof bound === 'object' && bound !== null ? `http://127.0.0.1:${bound.port}` : '';
});
after(async () => {
  server?.close();
  await lab?.remove();
});

/** Packages that have all that a wheel may have, and that need each other. */
async function makePackages(folder: string): Promise<void> {
  mkdirSync(folder);
  packWheel(folder, 'app-1.0+x-py3-none-any.whl', {
    'app/__init__.py': 'import left, data\ndef main(): print("app", left.name(), data.name)\n',
    'app-1.0+x.data/scripts/by-hand': '#!python\nimport app; app.main()\n',
    'app-1.0+x.data/data/share/app.txt': 'data of app\n',
    'app/folder.txt': folder,
    'app-1.0+x.dist-info/entry_points.txt': '[console_scripts]\nrun-app = app:main\n',
  });
  packWheel(folder, 'left-1.0-py3-none-any.whl', {
    'left.txt': folder,
    'left.py': 'def name():\n    import right; return "left " + right.name\n',
    'spaces/one.py': 'name = 1\n',
  });
  packWheel(folder, 'right-1.0-cp311-cp311-manylinux_2_17_x86_64.whl', {
    'right.txt': folder,
    'right.py': 'import left\nname = "right"\n',
    'spaces/two.py': 'name = 2\n',
  });
  await packSource(folder, 'data-2.0', {
    'setup.py': 'from setuptools import setup\nsetup(name="data", version="2.0", py_modules=["data"])\n',
    'README.txt': folder,
    'data.py': 'name = "data"\n',
  });
}

function packages(folder: string, source: (file: string) => PackageSource['source']): readonly PackageSource[] {
  const one = (name: string, version: string, file: string, more: Partial<PackageSource> = {}): PackageSource => {
    const sha256 = createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
    return wheel(name, { version, file, sha256, source: source(file), ...more });
  };
  return [
    one('app', '1.0+x', 'app-1.0+x-py3-none-any.whl', {
      requires: ['left', 'data'],
      hooks: new Map([['postInstall', "echo 'it''s done' > $out/share/hook"]]),
    }),
    one('left', '1.0', 'left-1.0-py3-none-any.whl', { requires: ['right'] }),
    one('right', '1.0', 'right-1.0-cp311-cp311-manylinux_2_17_x86_64.whl', { requires: ['left'] }),
    one('data', '2.0', 'data-2.0.tar.gz', { kind: 'sdist', buildSystem: ['setuptools'] }),
  ];
}

const ofFolder = (file: string): PackageSource['source'] => ({ kind: 'path', path: join(wheels, file) });
const ofIndex = (file: string): PackageSource['source'] => ({
  kind: 'url',
  url: `${address}/${encodeURIComponent(file)}`,
});

/** Writes a set's files into a folder of the lab, builds one of them, and gives its store path. */
async function build(files: readonly ExpressionFile[], name: string, show: readonly string[] = []): Promise<string> {
  const folder = join(lab.home, 'expressions');
  await writeFiles(folder, files);
  const expression = { file: join(folder, name), args: [], argstrs: [], include: [] };
  const env = { ...lab.env, ...nixpkgs.env };
  return (await lab.withNix({ show, env }, (nix) => nix.build(expression))).storePath;
}

/** Runs a program of the store where nothing else is. */
async function runAlone(program: string, ...args: readonly string[]): Promise<string> {
  const nothing = ['--ro-bind', join(lab.store, 'nix'), '/nix', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'];
  return (await run('bwrap', [...nothing, '--clearenv', '--', program, ...args])).stdout;
}

const IMPORTS = `
import importlib.metadata, sys, app, spaces.one, spaces.two
print(*sorted((one.name, one.version) for one in importlib.metadata.distributions()), spaces.one.name, spaces.two.name)
app.main()
print(sys.prefix, importlib.metadata.version("app"))
`;

test('an environment out of a wheelhouse', { skip }, async () => {
  const environment = await build(writeExpressions(setOf(packages(wheels, ofFolder))), 'plone-env.nix', [wheels]);
  const python = `${environment}/bin/python`;
  assert.equal(
    await runAlone(python, '-c', IMPORTS),
    `('app', '1.0+x') ('data', '2.0') ('left', '1.0') ('right', '1.0') 1 2
app left right data
${environment} 1.0+x
`,
  );
  assert.equal(await runAlone(`${environment}/bin/run-app`), 'app left right data\n');
  assert.equal(await runAlone(`${environment}/bin/by-hand`), 'app left right data\n');
  const share = (name: string): Promise<string> =>
    runAlone(python, '-c', `print(open("${environment}/share/${name}").read(), end="")`);
  assert.equal(await share('app.txt'), 'data of app\n');
  assert.equal(await share('hook'), "it''s done\n".replaceAll("'", ''));
});

test('an environment out of an index, fetched by Nix itself', { skip }, async () => {
  asked.length = 0;
  const set = setOf(packages(served, ofIndex), { environmentInputs: ['mailcap'] });
  const environment = await build(writeExpressions(set), 'plone-env.nix');
  assert.deepEqual(
    [...asked].sort(),
    packages(served, ofIndex)
      .map(({ file }) => `/${encodeURIComponent(file)}`)
      .sort(),
  );
  const code = `${IMPORTS}\nimport os\nprint(os.path.exists("${environment}/etc/mime.types"))`;
  assert.match(
    await runAlone(`${environment}/bin/python`, '-c', code),
    new RegExp(`\n${environment} 1.0\\+x\nTrue\n$`),
  );
  assert.equal(await runAlone(`${environment}/bin/run-app`), 'app left right data\n');
});

test('bytes that the index did not promise are not built from', { skip }, async () => {
  const [app, ...others] = packages(served, ofIndex);
  const broken = { ...(app ?? assert.fail()), sha256: '01'.repeat(32) };
  const files = writeExpressions(setOf([broken, ...others]));
  assert.equal((await errorOf(build(files, 'plone-env.nix'))).code, 'NIX_FAILED');
  assert.match(told(lab), /hash mismatch in fixed-output derivation .*app-1\.0\+x/);
});

test('an egg alone brings what it needs', { skip }, async () => {
  const files = writeExpressions(setOf(packages(wheels, ofFolder), { roots: ['app'], outputs: ['plone-app.nix'] }));
  const app = await build(files, 'plone-app.nix', [wheels]);
  assert.match(app, /-app-1\.0\+x$/);
  assert.equal(await runAlone(`${app}/bin/run-app`), 'app left right data\n');
});

test('without parts, NAME.nix is the environment', { skip }, async () => {
  const files = writeExpressions(setOf(packages(wheels, ofFolder)));
  const built = await build(files, 'plone.nix', [wheels]);
  const code = 'import sys; print(sys.prefix)';
  assert.equal(await runAlone(`${built}/bin/python`, '-c', code), `${built}\n`);
});

const BUILDOUT = `[buildout]
parts = scripts

[scripts]
recipe = zc.recipe.egg
eggs = app
initialization = print("\${buildout:directory}")
`;

test('the environment has its own zc.buildout: it runs the parts, and in a shell', { skip }, async (t) => {
  const downloaded = await downloadBuildout();
  if ('reason' in downloaded) return t.skip(downloaded.reason);
  const real = readdirSync(downloaded.folder).map((file) => {
    const [name = '', version = ''] = file.split('-');
    const path = join(downloaded.folder, file);
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    const canonical = name.toLowerCase().replaceAll(/[._]/g, '-');
    return wheel(canonical, { version, file, sha256, source: { kind: 'path', path } });
  });
  const set: ExpressionSet = setOf([...packages(wheels, ofFolder), ...real], { buildout: BUILDOUT });
  const files = [...writeExpressions(set), shellExpression(set)];
  const show = [wheels, downloaded.folder];
  const built = await build(files, 'plone.nix', show);
  assert.equal(await runAlone(`${built}/bin/run-app`), `${built}\napp left right data\n`);
  assert.deepEqual(readdirSync(join(lab.store, built)).sort(), ['bin', 'parts']);

  const folder = join(lab.home, 'expressions');
  const shell = (file: string): Promise<{ stdout: string }> =>
    run(
      'bwrap',
      [...inRoot(lab), '--chdir', folder, '--', 'nix-shell', ...file.split(' '), '--run', 'buildout --version'],
      {
        env: { ...process.env, ...nixpkgs.env, NIX_CONFIG: `${nixpkgs.env.NIX_CONFIG}sandbox = false\n` },
      },
    );
  assert.match((await shell('')).stdout, /^buildout version 6\./);
  assert.match((await shell('plone.nix')).stdout, /^buildout version 6\./);
});
