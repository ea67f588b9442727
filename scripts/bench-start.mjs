#!/usr/bin/env node
// How long a packed Plone takes from nothing to its first answer, container included, beside the same Plone in a plain virtual
// environment of pip's; and how large it is beside a tarball of that one with its Python.
//
//   npx tsc && node scripts/bench-start.mjs [RUNS]
//
// Takes turns and prints medians. Needs what npm run test:plone needs: root, runc, umoci, a package index. RUNS is 5.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ploneImage, skipPloneImage } from '../dist/spec/support/plone-image.js';
import { ploneVenv, skipPlone } from '../dist/spec/support/plone-venv.js';
import { freePort } from '../dist/spec/support/registry.js';
import { runRecipeOf } from '../dist/spec/support/zope2instance.js';

const runs = Number(process.argv[2] ?? '5');
const skip = (await skipPloneImage()) || (await skipPlone());
if (skip !== false) throw new Error(skip);
const lab = mkdtempSync(join(tmpdir(), 'oci-plone-bench-start-'));

function must(program, ...words) {
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
}

/** Seconds from the start of a program until /ok answers; then it is stopped. */
async function seconds(words, port, stop) {
  const begin = performance.now();
  const [program, ...rest] = words;
  const child = spawn(program, rest, { stdio: 'ignore' });
  const closed = once(child, 'close');
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/ok`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === 200) break;
    if (child.exitCode !== null) throw new Error(`${words.join(' ')} ended with ${child.exitCode}`);
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  const took = (performance.now() - begin) / 1000;
  stop(child);
  await closed;
  return took;
}

/** A runtime's bundle of the image: read-only, uid 1000, /data from outside, the machine's loopback. */
async function container(layout, port) {
  const [bundle, data] = [join(lab, 'bundle'), join(lab, 'data')];
  must('umoci', 'unpack', '--image', `${layout}:latest`, bundle);
  mkdirSync(data);
  chownSync(data, 1000, 1000);
  const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'));
  const bind = { destination: '/data', type: 'bind', source: data, options: ['rbind', 'rw'] };
  const tmp = { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] };
  const { process: run, root, mounts, linux } = config;
  const changed = {
    ...config,
    process: { ...run, terminal: false, capabilities: {}, env: [...run.env, `LISTEN_PORT=${port}`] },
    root: { ...root, readonly: true },
    mounts: [...mounts.filter(({ destination }) => !['/data', '/tmp'].includes(destination)), bind, tmp],
    linux: { ...linux, namespaces: linux.namespaces.filter(({ type }) => type !== 'network') },
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(changed));
  const id = `oci-plone-bench-${process.pid}`;
  const runc = ['--root', join(lab, 'state')];
  return {
    words: ['runc', ...runc, 'run', '--bundle', bundle, id],
    stop: () => must('runc', ...runc, 'kill', id, 'INT'),
  };
}

/** The recipe's instance in the virtual environment, started as its bin/instance does. */
function plain(port) {
  const folder = join(lab, 'buildout');
  mkdirSync(folder);
  runRecipeOf(ploneVenv, [{ folder, options: { eggs: 'Plone', 'http-address': `127.0.0.1:${port}` } }]);
  const etc = join(folder, 'parts/instance/etc');
  const python = join(ploneVenv, 'bin/python');
  const program = join(folder, 'instance.py');
  const parameters = ['-C', join(etc, 'zope.conf'), '-p', python, '-w', join(etc, 'wsgi.ini'), 'console'];
  writeFileSync(
    program,
    `import sys\nimport plone.recipe.zope2instance.ctl\nsys.exit(plone.recipe.zope2instance.ctl.main(${JSON.stringify(parameters)}))\n`,
  );
  return { words: [python, program], stop: (child) => child.kill('SIGINT') };
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}

try {
  const { layout, result } = await ploneImage();
  const ports = [await freePort(), await freePort()];
  chmodSync(lab, 0o755);
  const [ours, theirs] = [await container(layout, ports[0]), plain(ports[1])];
  const [own, other] = [[], []];
  // The first start of each makes a database, and is not counted.
  for (let turn = 0; turn <= runs; turn += 1) {
    const times = [await seconds(ours.words, ports[0], ours.stop), await seconds(theirs.words, ports[1], theirs.stop)];
    if (turn === 0) continue;
    own.push(times[0]);
    other.push(times[1]);
  }
  const ratio = median(own.map((time, index) => time / other[index]));
  process.stdout.write(
    `to the first /ok: container ${median(own).toFixed(2)} s, pip's environment ${median(other).toFixed(2)} s, ratio ${ratio.toFixed(2)}\n`,
  );
  const tarball = join(lab, 'venv.tar.gz');
  const extras = ['relstorage', 'RelStorage*', 'perfmetrics*', 'psycopg2*'].map((name) => `--exclude=${name}`);
  must('tar', '-czf', tarball, ...extras, ploneVenv, '/usr/bin/python3.11', '/usr/lib/python3.11');
  const bytes = readFileSync(tarball).length;
  process.stdout.write(
    `compressed: image ${(result.size / 1e6).toFixed(1)} MB, pip's environment with its Python ${(bytes / 1e6).toFixed(1)} MB\n`,
  );
} finally {
  rmSync(lab, { recursive: true, force: true });
}
