#!/usr/bin/env node
// How long resolving Plone takes beside `pip install --dry-run`: `oci-plone nix` cold, then from its lock, each
// a whole process with its start, with the peak of its memory (VmHWM).
//
//   npx tsc && node scripts/bench-resolve.mjs [RUNS]
//
// Takes turns, so that a slow minute of the network is shared, and prints medians. Needs python3 with pip (apt-get install
// python3-pip), an index that pip is set up with, and the version files in ../shared/data. RUNS is 5.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findData, pinsOf } from '../dist/spec/python/plone.js';
import { targetOf } from '../dist/src/python/target.js';

const CLI = fileURLToPath(new URL('../dist/bundle/start.cjs', import.meta.url));
const ROOTS = ['Plone', 'plone.recipe.zope2instance'];
const VERSIONS = [
  ['6.2.2', '6.2.2-resolved.cfg'],
  ['6.0.13', '6.0.cfg'],
];

/** Runs a program. Gives its output and the seconds it took. */
function run(program, parameters, env = {}) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const stdio = ['ignore', 'pipe', 'pipe'];
    const child = spawn(program, parameters, { stdio, env: { ...process.env, ...env } });
    let [output, said] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ output, seconds: (performance.now() - start) / 1000 });
      else reject(new Error(`${program} ${parameters.join(' ')} ended with ${code}:\n${said}`));
    });
  });
}

/** Notes the peak of a process's memory when it ends. */
const PEAK = `import { readFileSync, writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.PEAK_FILE,
  /^VmHWM:\\s+(\\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]));`;

/** A run of `oci-plone nix`. Gives seconds and MiB. */
async function nix(folder, python) {
  const peakFile = join(folder, 'peak');
  const hook = `--import=data:text/javascript,${encodeURIComponent(PEAK)}`;
  const parameters = [hook, CLI, 'nix', join(folder, 'buildout.cfg'), '-o', join(folder, 'nix'), '--python', python];
  const env = { PEAK_FILE: peakFile, XDG_CACHE_HOME: join(folder, 'cache') };
  const { seconds } = await run(process.execPath, parameters, env);
  return { seconds, peak: Number(readFileSync(peakFile, 'utf8')) / 1024 };
}

/** A buildout of Plone, and pip's constraints that say the same. */
async function prepare(folder, file, data, python) {
  const pins = await pinsOf(file, data, folder, targetOf(python));
  const lines = [...pins].map(([name, pin]) => (/^[<>]/.test(pin) ? name + pin : `${name}==${pin}`));
  writeFileSync(join(folder, 'constraints.txt'), lines.join('\n'));
  const buildout = [
    '[buildout]',
    `extends = ${join(data, 'plone-versions', file)}`,
    `extends-cache = ${join(folder, 'extends')}`,
    // What the version file extends lies in the cache: the network of the figures is that of the index.
    'newest = false',
    'versions = versions',
    'parts = plone',
    '[plone]',
    'recipe = collective.recipe.nix',
    `eggs = ${ROOTS.join('\n    ')}`,
    '',
  ];
  writeFileSync(join(folder, 'buildout.cfg'), buildout.join('\n'));
}

function median(numbers) {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const runs = Number(process.argv[2] ?? '5');
const data = findData();
if (data === null) throw new Error('the version files of Plone are not there: ../shared/data');
if (!existsSync(CLI)) throw new Error('build first: npx tsc');
const python = (await run('python3', ['-c', 'import platform; print(platform.python_version())'])).output.trim();
process.stdout.write(`Python ${python}, Node ${process.version}, ${runs} runs\n`);
for (const [version, file] of VERSIONS) {
  const [pip, cold, lock] = [[], [], []];
  for (let turn = 0; turn < runs; turn += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'oci-plone-bench-'));
    try {
      await prepare(folder, file, data, python);
      const flags = ['--dry-run', '--ignore-installed', '--no-cache-dir', '--quiet'];
      const constraints = ['-c', join(folder, 'constraints.txt')];
      pip.push(await run('python3', ['-m', 'pip', 'install', ...flags, ...constraints, ...ROOTS]));
      cold.push(await nix(folder, python));
      lock.push(await nix(folder, python));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const [slow, fast, locked] = [pip, cold, lock].map((list) => median(list.map(({ seconds }) => seconds)));
  const [most, least] = [cold, lock].map((list) => Math.max(...list.map(({ peak }) => peak)).toFixed(0));
  process.stdout.write(
    `Plone ${version}: pip ${slow.toFixed(1)} s, cold ${fast.toFixed(1)} s (${(fast / slow).toFixed(2)} of pip, ` +
      `${most} MiB), from the lock ${locked.toFixed(2)} s (${least} MiB)\n`,
  );
}
