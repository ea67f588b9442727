#!/usr/bin/env node
// How long packing takes beside what people use now: npm run bench [-- RUNS [ROW…]], each a row's number or memory
//
// The closure of Plone 6.2.2, built from fixtures/plone/buildout.cfg in a store of the bench's own, and its tarball. Each row
// takes turns with its peer, as whole processes; medians of wall time, processor time, peak memory and output size, and the
// ratio to the peer turn by turn. Writes BENCHMARK.md. RUNS is 5.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LARGE, largePeaks } from './bench-memory.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist/bundle/start.cjs');
const LAB = join(tmpdir(), 'oci-plone-bench');
const [runs = '5', ...wanted] = process.argv.slice(2);
const env = { ...process.env, NIX_CONFIG: 'substituters =\nbuild-users-group =\n' };

const at = (...names) => join(LAB, ...names);
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Runs a program to its end, and fails with what it said. */
function must(program, words, options = {}) {
  const { status, stderr, stdout, error } = spawnSync(program, words, {
    env,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    ...options,
  });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error ?? stderr}`);
  return stdout;
}

/** Seconds by our own clock, which is finer; processor seconds, and the peak of the largest process in MiB, by time(1). */
function timed(words, cwd) {
  const report = at('time');
  const start = performance.now();
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%U %S %M', '-o', report, ...words], {
    env,
    cwd,
    encoding: 'utf8',
  });
  const wall = (performance.now() - start) / 1000;
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  const [user, system, peak] = readFileSync(report, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
  return { wall, cpu: user + system, peak: peak / 1024 };
}

function bytesOf(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}

/** Node 24, for zstd, from npm's package of that name. */
function node24() {
  const node = at('node24/node_modules/node/bin/node');
  const install = [
    'install',
    '--prefix',
    at('node24'),
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    'node@24',
  ];
  if (!existsSync(node)) must('npm', install);
  return node;
}

function crane() {
  const program = at('go/bin/crane');
  if (existsSync(program)) return program;
  if (!has('go')) return null;
  must('go', ['install', 'github.com/google/go-containerregistry/cmd/crane@v0.20.3'], {
    env: { ...env, GOPATH: at('go'), GOFLAGS: '-modcacherw' },
  });
  return program;
}

/** The workload: a store with the closure, its tarball, and the same files as a folder for those who take one. */
function prepare() {
  mkdirSync(LAB, { recursive: true });
  const pack = [CLI, 'pack', join(ROOT, 'fixtures/plone/buildout.cfg'), '--no-instance', '--quiet', '--json'];
  const nix = ['-I', `nixpkgs=${join(ROOT, 'fixtures/nixpkgs')}`, '--store', at('nix')];
  must('cp', ['-rT', join(ROOT, 'fixtures/plone'), at('project')]);
  pack[2] = at('project/buildout.cfg');
  const { layers } = JSON.parse(must(process.execPath, [...pack, ...nix, '-o', at('plone.oci')]));
  const storePaths = layers.flatMap((layer) => layer.storePaths);
  const environment = storePaths.find((path) => path.endsWith('-env'));
  const tarball = at('plone.nix.tar.gz');
  must(process.execPath, [CLI, 'pack', environment, '--store', at('nix'), '-q', '-o', tarball]);
  rmSync(at('rootfs'), { recursive: true, force: true });
  mkdirSync(at('rootfs'));
  must('tar', ['-xzf', tarball, '-C', at('rootfs')]);
  must('sh', ['-c', `gzip -dc ${tarball} > ${at('plone.nix.tar')}`]);
  return { environment, storePaths, tarball };
}

const { environment, storePaths, tarball } = prepare();
const tar = at('plone.nix.tar');
const out = at('out');
const clean = () => must('rm', ['-rf', out]);
const ours = (...words) => [process.execPath, CLI, 'pack', ...words, '-q', '-o', out];
const fromStore = [environment, '--store', at('nix')];

/** An empty image for those who add a layer to one; not timed. */
function umociImage() {
  must('umoci', ['init', '--layout', out]);
  must('umoci', ['new', '--image', `${out}:latest`]);
}

const umociInsert = {
  name: 'umoci insert',
  before: umociImage,
  words: ['umoci', 'insert', '--image', `${out}:latest`, at('rootfs'), '/'],
};
/** It takes a tar that is not compressed; whoever has a .tar.gz unpacks it before. */
const rawLayer = `umoci raw add-layer --image ${out}:latest ${tar}`;
const umociRaw = {
  name: 'gzip -d, umoci raw add-layer',
  before: umociImage,
  words: ['sh', '-c', `gzip -dc ${tarball} > ${tar} && ${rawLayer}`],
};
const umociRawAlone = { name: 'umoci raw add-layer alone', before: umociImage, words: ['sh', '-c', rawLayer] };
const shell = (name, command) => ({ name, words: ['sh', '-c', command] });
const zstdFloor = shell('tar | zstd -3 -T2', `tar -cf - -C ${at('rootfs')} . | zstd -q -3 -T2 -o ${out}`);
const pigzFloor = shell('tar | pigz -6', `tar -cf - -C ${at('rootfs')} . | pigz -6 > ${out}`);
const craneProgram = crane();
const craneAppend = craneProgram && {
  name: 'crane append',
  words: [craneProgram, 'append', '--oci-empty-base', '-f', tarball, '-t', 'bench/plone:latest', '-o', out],
};
const buildah = has('buildah') && {
  name: 'buildah, the article’s Dockerfile',
  before: () => {
    must('mkdir', ['-p', at('context')]);
    must('cp', ['-u', tarball, at('context/plone.nix.tar.gz')]);
    writeFileSync(
      at('context/Dockerfile'),
      'FROM scratch\nADD plone.nix.tar.gz /\nEXPOSE 8080\nUSER 1000\nENTRYPOINT ["/app/bin/python"]\n',
    );
  },
  words: [
    'sh',
    '-c',
    `buildah --root ${at('buildah')} --runroot ${at('buildah-run')} --storage-driver vfs bud -q --no-cache -t plone ${at('context')} && buildah --root ${at('buildah')} --runroot ${at('buildah-run')} --storage-driver vfs push -q plone oci:${out}:latest`,
  ],
};

const row = (name, words, peer, reach, note = '') => ({ name, words, peer, reach, note });
const rows = [
  row('default encoder (libdeflate, level 4), from the store', ours(...fromStore), umociInsert, 1.6),
  row('`--encoder=fflate`, from the store', ours(...fromStore, '--encoder=fflate'), umociInsert, null),
  row('`--encoder=zlib`, from the store', ours(...fromStore, '--encoder=zlib'), umociInsert, 0.8),
  row(
    '`--compression=zstd`, Node 24',
    [node24(), ...ours(...fromStore, '--compression=zstd').slice(1)],
    umociInsert,
    0.4,
  ),
  row(
    '`--compression=zstd`, Node 24',
    [node24(), ...ours(...fromStore, '--compression=zstd').slice(1)],
    zstdFloor,
    1.1,
  ),
  row('from `.tar.gz`, `--encoder=zlib`', ours(tarball, '--encoder=zlib'), umociRaw, 0.7),
  row(
    'from `.tar.gz`, verbatim',
    ours(tarball, '--layers=verbatim'),
    craneAppend ?? umociRaw,
    craneAppend ? 0.45 : 0.22,
  ),
  row('from `.tar.gz`, verbatim', ours(tarball, '--layers=verbatim'), umociRaw, 0.22),
  row('from `.tar.gz`, `--encoder=zlib`', ours(tarball, '--encoder=zlib'), umociRawAlone, null),
  row('default encoder, from the store', ours(...fromStore), pigzFloor, null),
  ...(buildah ? [row('default encoder, from the store', ours(...fromStore), buildah, null)] : []),
  row(
    '`oci-plone --version`',
    [process.execPath, CLI, '--version'],
    { name: 'node -e 0', words: [process.execPath, '-e', '0'] },
    1.15,
  ),
];
if (craneProgram === null) process.stdout.write('skipped: crane append, since there is no Go\n');
if (!buildah) process.stdout.write('skipped: buildah is not installed\n');

function turn({ before = () => undefined, words }) {
  clean();
  before();
  const figures = timed(words, LAB);
  return { ...figures, size: existsSync(out) ? bytesOf(out) : 0 };
}

const seconds = (value) => `${value.toFixed(2)} s`;
const cell = ({ wall, cpu, peak, size }) =>
  `${seconds(wall)} | ${seconds(cpu)} | ${peak.toFixed(0)} MiB | ${size === 0 ? '–' : `${(size / 1e6).toFixed(1)} MB`}`;
const lines = [];
for (const [index, { name, words, peer, reach }] of rows.entries()) {
  if (wanted.length > 0 && !wanted.includes(String(index + 1))) continue;
  const [own, other] = [[], []];
  const count = name.includes('--version') ? Number(runs) * 3 : Number(runs);
  turn({ words }); // once to warm up
  for (let number = 0; number < count; number += 1) {
    own.push(turn({ words }));
    other.push(turn(peer));
  }
  const mid = (list) =>
    Object.fromEntries(['wall', 'cpu', 'peak', 'size'].map((key) => [key, median(list.map((one) => one[key]))]));
  const ratio = median(own.map(({ wall }, number) => wall / other[number].wall));
  const [mine, theirs] = [mid(own), mid(other)];
  const verdict = reach === null ? '' : `${ratio <= reach ? '≤' : '**over**'} ${reach}`;
  lines.push(
    `| ${name} | ${cell(mine)} | ${peer.name.replaceAll('|', '\\|')} | ${cell(theirs)} | **${ratio.toFixed(2)}** | ${verdict} |`,
  );
  process.stdout.write(`${lines.at(-1)}\n`);
}
clean();

let large = '';
if (wanted.length === 0 || wanted.includes('memory')) {
  const peaks = largePeaks(CLI, env);
  const limit = 150;
  const cells = ['store', 'tar'].map((from) => {
    const verdict = peaks[from] <= limit ? '≤' : '**over**';
    return `from ${from === 'tar' ? 'a tar on stdin' : 'the store'} ${peaks[from].toFixed(0)} MiB (${verdict} ${limit})`;
  });
  large = `\nPeak memory for ${LARGE}, default encoder: ${cells.join(', ')}.\n`;
  process.stdout.write(large);
}

const narSize = bytesOf(tar) / 1e6;
const processor = `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
const text = `# How fast packing is

\`npm run bench\`, ${new Date().toISOString().slice(0, 10)}, on ${processor}, Node ${process.version}. The closure of Plone 6.2.2 from
\`fixtures/plone/buildout.cfg\`: ${storePaths.length} store paths, a tar of ${narSize.toFixed(0)} MB. Each row's two commands took turns; medians of
${runs} runs as whole processes; the ratio is the median of wall time by wall time, turn by turn.

| oci-plone pack | wall | cpu | peak | size | beside | wall | cpu | peak | size | ratio | to reach |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${lines.join('\n')}
${large}`;
if (wanted.length === 0) writeFileSync(join(ROOT, 'BENCHMARK.md'), text);
