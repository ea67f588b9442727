#!/usr/bin/env node
// How long resolving Plone takes beside `pip install --dry-run`: cold, then from the lock, with the peak of memory.
//
//   npx tsc && node scripts/bench-resolve.mjs [RUNS]
//
// Takes turns, so that a slow minute of the network is shared, and prints medians. Needs python3 with pip (apt-get install
// python3-pip), an index that pip is set up with, and the version files in ../shared/data. RUNS is 5.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatLock, lockOf } from '../dist/src/python/lock.js';
import { parseLock } from '../dist/src/python/lock-parser.js';
import { lockedSet } from '../dist/src/python/locked-set.js';
import { targetOf } from '../dist/src/python/target.js';

const ROOTS = ['Plone', 'plone.recipe.zope2instance'];
const VERSIONS = [
  ['6.2.2', '6.2.2-resolved.cfg'],
  ['6.0.13', '6.0.cfg'],
];

/** Runs a program. Gives its output and the seconds it took. */
function run(program, parameters) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve({ output, seconds: (performance.now() - start) / 1000 });
      else reject(new Error(`${program} ${parameters.join(' ')} ended with ${code}`));
    });
  });
}

function peak() {
  return /^VmHWM:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
}

/** In a process of its own: resolves cold into a lock. */
async function resolveCold(folder, file, python) {
  const { findData, pinsOf, resolveOnline } = await import('../dist/spec/python/plone.js');
  const target = targetOf(python);
  const pins = await pinsOf(file, findData(), folder, target);
  const wanted = { requirements: ROOTS, pins, preferFinal: true, allowPicked: true, target };
  const set = await resolveOnline(wanted, join(folder, 'cache'));
  writeFileSync(join(folder, 'lock.json'), formatLock(lockOf(set, wanted)));
  process.stdout.write(peak());
}

/** In a process of its own: has the working set of a lock. */
async function fromLock(folder) {
  const lock = parseLock(readFileSync(join(folder, 'lock.json'), 'utf8'), 'lock.json');
  await lockedSet(lock, { indexes: [], findLinks: [] }, folder);
  process.stdout.write(peak());
}

function median(numbers) {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function measure(runs) {
  const { findData, pinsOf } = await import('../dist/spec/python/plone.js');
  const data = findData();
  if (data === null) throw new Error('the version files of Plone are not there: ../shared/data');
  const own = fileURLToPath(import.meta.url);
  const python = (await run('python3', ['-c', 'import platform; print(platform.python_version())'])).output.trim();
  process.stdout.write(`Python ${python}, Node ${process.version}, ${runs} runs\n`);
  for (const [version, file] of VERSIONS) {
    const times = { pip: [], cold: [], lock: [] };
    const peaks = { cold: 0, lock: 0 };
    for (let turn = 0; turn < runs; turn += 1) {
      const folder = mkdtempSync(join(tmpdir(), 'oci-plone-bench-'));
      try {
        mkdirSync(join(folder, 'cache'));
        const pins = await pinsOf(file, data, folder, targetOf(python));
        const lines = [...pins].map(([name, pin]) => (/^[<>]/.test(pin) ? name + pin : `${name}==${pin}`));
        writeFileSync(join(folder, 'constraints.txt'), lines.join('\n'));
        const flags = [
          '--dry-run',
          '--ignore-installed',
          '--no-cache-dir',
          '--quiet',
          '-c',
          join(folder, 'constraints.txt'),
        ];
        times.pip.push((await run('python3', ['-m', 'pip', 'install', ...flags, ...ROOTS])).seconds);
        for (const [kind, parameters] of [
          ['cold', [own, 'cold', folder, file, python]],
          ['lock', [own, 'lock', folder]],
        ]) {
          const { output, seconds } = await run(process.execPath, parameters);
          times[kind].push(seconds);
          peaks[kind] = Math.max(peaks[kind], Number(output) / 1024);
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
    const [pip, cold, lock] = [median(times.pip), median(times.cold), median(times.lock)];
    process.stdout.write(
      `Plone ${version}: pip ${pip.toFixed(1)} s, cold ${cold.toFixed(1)} s (${(cold / pip).toFixed(2)} of pip, ` +
        `${peaks.cold.toFixed(0)} MiB), from the lock ${lock.toFixed(2)} s (${peaks.lock.toFixed(0)} MiB)\n`,
    );
  }
}

const [mode = '5', folder = '', file = '', python = ''] = process.argv.slice(2);
if (mode === 'cold') await resolveCold(folder, file, python);
else if (mode === 'lock') await fromLock(folder);
else await measure(Number(mode));
