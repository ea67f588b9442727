// How much memory packing takes where the input is large: the last row of `npm run bench`.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const GIGABYTES = 5;
const PATHS = 5000;
const ENTRIES = 400_000;

/** What was measured, for the table. */
export const LARGE = `${GIGABYTES} GB, ${PATHS} paths, ${ENTRIES} entries`;

/** A file's content: half of it compresses. No two are the same. */
function content(number, size) {
  const bytes = Buffer.alloc(size, `line of text in file ${number}\n`);
  for (let at = 0, state = number + 1; at < size / 2; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, Math.min(at, size - 4));
  }
  return bytes;
}

/** Writes the store, and what Nix's database would say of it; the hashes are of nothing, and nobody asks. */
function makeStore(store) {
  const each = Math.floor(ENTRIES / PATHS) - 2; // the path itself, and its folder
  const size = Math.floor((GIGABYTES * 1e9) / (PATHS * each));
  const names = Array.from({ length: PATHS }, (_, number) => {
    const hash = createHash('sha256').update(String(number)).digest('hex').slice(0, 32).replaceAll('e', 'z');
    return `/nix/store/${hash}-path-${number}`;
  }).sort();
  for (const [number, name] of names.entries()) {
    const lib = join(store, name, 'lib');
    mkdirSync(lib, { recursive: true });
    for (let file = 0; file < each; file += 1)
      writeFileSync(join(lib, `file-${file}.py`), content(number * each + file, size));
  }
  const [root = '', ...others] = names;
  mkdirSync(join(store, root, 'bin'));
  symlinkSync('/bin/sh', join(store, root, 'bin/sh'));
  writeFileSync(join(store, root, 'bin/python'), '#!/bin/sh\n', { mode: 0o755 });
  const described = [...others.map((name) => [name, []]), [root, others]];
  return {
    root,
    database: described
      .map(([name, references]) => [name, '0'.repeat(64), 1, '', references.length].concat(references, '').join('\n'))
      .join(''),
  };
}

/**
 * Makes a store of that size, packs it from there and as a tar on standard input, by the default encoder, and gives the peak
 * of the one process that does it, in MiB. Takes that size twice on disk, and leaves nothing there.
 */
export function largePeaks(cli, env) {
  const lab = mkdtempSync(join(tmpdir(), 'oci-plone-bench-large-'));
  const store = join(lab, 'store');
  const must = (program, words, options = {}) => {
    const { status, stderr, error } = spawnSync(program, words, { env, encoding: 'utf8', ...options });
    if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error ?? stderr}`);
  };
  const peakOf = (before, words) => {
    const [report, out] = [join(lab, 'peak'), join(lab, 'out')];
    must('sh', [
      '-c',
      `${before} /usr/bin/time -f %M -o ${report} ${process.execPath} ${cli} pack -q -o ${out} ${words}`,
    ]);
    rmSync(out, { recursive: true });
    return Number(readFileSync(report, 'utf8').trim().split('\n').at(-1)) / 1024;
  };
  try {
    const { root, database } = makeStore(store);
    must('nix-store', ['--store', store, '--load-db'], { input: database, maxBuffer: 2 ** 28 });
    const tar = `tar -C ${store} -cf - --sort=name nix/store |`;
    return {
      store: peakOf('', `${root} --store ${store} --platform linux/amd64`),
      tar: peakOf(tar, `- --entrypoint ${root}/bin/python --platform linux/amd64`),
    };
  } finally {
    must('chmod', ['-R', 'u+w', lab]);
    rmSync(lab, { recursive: true, force: true });
  }
}
