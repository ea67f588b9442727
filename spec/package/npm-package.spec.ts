import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { repositoryRoot } from '../support/fixtures.ts';
import { type Folder, documentsOf, labFolder, writeApp } from '../support/packed.ts';

const run = promisify(execFile);
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Beside what is compiled, the Python that runs in a build, and in an image. */
const EXPECTED = [
  /^dist\/bundle\/[\w-]+\.c?js$/,
  /^dist\/src\/.*\.d\.ts$/,
  /^src\/plone\/build\/[a-z-]+\.py$/,
  /^src\/plone\/programs\/(oci_plone\/[a-z_]+\.py|[a-z-]+)$/,
  /^([A-Z]+(\.md)?|package\.json)$/,
  // Bundled: it says that it wants a later Node than it needs, which some package managers refuse.
  /^node_modules\/libdeflate\//,
];

describe('the npm package', () => {
  let lab: Folder;
  let project: string;
  let files: readonly string[];
  before(async () => {
    lab = await labFolder();
    project = join(lab.folder, 'project');
    await mkdir(project);
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
    // The build that runs these tests is what gets packed: prepack would build it once more.
    const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', lab.folder];
    const { stdout } = await run('npm', packing, { cwd: repositoryRoot });
    const [{ filename, files: packed }]: [{ filename: string; files: { path: string }[] }] = JSON.parse(stdout);
    files = packed.map(({ path }) => path);
    // As strict as some managers are by default: no dependency may ask for a later Node than ours.
    const installing = ['install', '--prefer-offline', '--engine-strict', ...QUIET, join(lab.folder, filename)];
    await run('npm', installing, { cwd: project });
    await writeApp(join(project, 'app.nix.tar'));
  });
  after(() => lab.remove());

  it('holds the build, the licence and the documents, and nothing of the tests', () => {
    for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']) assert.ok(files.includes(name), name);
    for (const name of [
      'dist/bundle/index.js',
      'dist/src/index.d.ts',
      'dist/bundle/start.cjs',
      'dist/bundle/codec-worker.js',
      'src/plone/build/make-instance.py',
      'src/plone/programs/start',
    ])
      assert.ok(files.includes(name), name);
    assert.deepEqual(
      files.filter((name) => !EXPECTED.some((shape) => shape.test(name))),
      [],
    );
  });

  it('is fit to be published: publint', async () => {
    await run('npx', ['--no-install', 'publint', '--strict', '--pack', 'false'], { cwd: repositoryRoot });
  });

  it('is used from JavaScript', async () => {
    await writeFile(join(project, 'use.js'), USE);
    const { stdout } = await run(process.execPath, ['use.js'], { cwd: project });
    assert.equal(stdout.trim(), documentsOf(join(project, 'app.oci')).descriptor.digest);
  });

  it('is used from TypeScript, under strict', async () => {
    await writeFile(join(project, 'use.ts'), TYPED);
    const options = { strict: true, module: 'node20', target: 'es2023', types: ['node'], noEmit: true };
    const typeRoots = [join(repositoryRoot, 'node_modules/@types')];
    const compilerOptions = { ...options, typeRoots, exactOptionalPropertyTypes: true };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
    const tsc = join(repositoryRoot, 'node_modules/.bin/tsc');
    await run(tsc, ['--project', project]).catch((error: Error & { stdout?: string }) => assert.fail(error.stdout));
    await writeFile(join(project, 'use.ts'), TYPED.replace("tag: 'v1'", 'tag: 1'));
    await assert.rejects(run(tsc, ['--project', project]));
  });

  it('exports nothing but its surface', async () => {
    const inner = "import('oci-plone/dist/src/image/pack.js').then(() => process.exit(0), (e) => console.log(e.code))";
    const { stdout } = await run(process.execPath, ['-e', inner], { cwd: project });
    assert.equal(stdout.trim(), 'ERR_PACKAGE_PATH_NOT_EXPORTED');
    const names = "import('oci-plone').then((all) => console.log(Object.keys(all).sort().join()))";
    const surface = await run(process.execPath, ['-e', names], { cwd: project });
    const functions = ['exportTarball', 'inspect', 'instance', 'pack', 'push', 'showBuildout', 'writeExpressions'];
    assert.equal(surface.stdout.trim(), ['CHOICES', 'EXIT_CODES', 'OciPloneError', ...functions].join());
  });

  it('brings the command oci-plone', async () => {
    const { version }: { readonly version: string } = JSON.parse(
      await readFile(join(repositoryRoot, 'package.json'), 'utf8'),
    );
    const { stdout } = await run('npx', ['--no-install', 'oci-plone', '--version'], { cwd: project });
    assert.equal(stdout.trim(), version);
    const packed = await run('npx', ['--no-install', 'oci-plone', 'pack', 'app.nix.tar', '-o', 'npx.oci'], {
      cwd: project,
    });
    assert.equal(packed.stdout.trim(), documentsOf(join(project, 'npx.oci')).descriptor.digest);
  });

  it('prints nothing and keeps no state, as a library', async () => {
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', SILENT], { cwd: project });
    assert.deepEqual([stdout, stderr], ['', '']);
  });
});

const USE = `
import { inspect, pack } from 'oci-plone';
const { digest } = await pack({ input: 'app.nix.tar', output: 'app.oci', env: {} });
const seen = await inspect({ layout: 'app.oci' });
if (seen.digest !== digest) throw new Error('inspect says something else');
console.log(digest);
`;

const TYPED = `
import { EXIT_CODES, OciPloneError, inspect, pack, push, showBuildout, writeExpressions } from 'oci-plone';
import type { ErrorCode, ExpressionResult, ShownBuildout, InspectResult, OnProgress, PackOptions, PackResult, PushResult } from 'oci-plone';
const onProgress: OnProgress = (event) => void (event.kind === 'nix' ? event.line.length : 0);
const options: PackOptions = { input: 'app.nix.tar', tag: 'v1', signal: AbortSignal.timeout(1000), onProgress };
const result: PackResult = await pack({ ...options, output: undefined });
const unchanged: boolean = result.unchanged;
const paths: readonly string[] = result.layers.flatMap(({ storePaths }) => storePaths);
const pushed: PushResult = await push({ layout: 'app.oci', references: ['localhost/x'], env: process.env });
const seen: InspectResult = await inspect({ layout: 'app.oci' });
try { await pack({ input: process.stdin, output: 'x' }); } catch (error) {
  if (error instanceof OciPloneError) { const code: ErrorCode = error.code; console.log(EXIT_CODES[code], error.hint); }
}
const shown: ShownBuildout = await showBuildout({ file: 'buildout.cfg', section: 'versions', python: '3.11.2' });
const written: ExpressionResult = await writeExpressions({ file: 'buildout.cfg', indexes: ['wheels'], frozen: true });
await pack({ input: 'buildout.cfg', part: 'plone', upgrade: ['plone.api'], nixpkgs: 'nixpkgs' });
console.log(shown.sections[0]?.options[0]?.origins, written.changes);
console.log(unchanged, paths, pushed.digest, seen.layers[0]?.diffId);
`;

const SILENT = `
import { pack } from 'oci-plone';
const before = [process.exitCode, process.listenerCount('SIGINT'), process.umask(), process.cwd(), JSON.stringify(process.env)];
await pack({ input: 'app.nix.tar', output: 'silent.oci', entrypoint: [], env: {} });
await pack({ input: 'absent.tar', output: 'silent.oci', env: {} }).then(() => { throw new Error('packed'); }, () => null);
const after = [process.exitCode, process.listenerCount('SIGINT'), process.umask(), process.cwd(), JSON.stringify(process.env)];
if (JSON.stringify(before) !== JSON.stringify(after)) console.log(before, after);
`;
