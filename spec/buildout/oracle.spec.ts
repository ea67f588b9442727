import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OciPloneError } from '../../src/errors.ts';
import { readBuildout } from '../../src/buildout/read.ts';
import type { Buildout } from '../../src/buildout/read.ts';
import { repositoryRoot } from '../support/fixtures.ts';
import { askOracle, skipOracle } from '../support/zc-buildout.ts';
import type { Job, OracleAnswer, OracleResult, Outcome } from '../support/zc-buildout.ts';
import { generatedBuildout } from './generated.ts';
import type { Generated } from './generated.ts';
import { lab, noGet } from './lab.ts';
import type { Lab } from './lab.ts';

const skip = await skipOracle();
const RUNS = Number(process.env['OCI_PLONE_RUNS'] ?? 100);

/** The expressions of section headers, in files of any kind. */
function expressionsOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [...text.matchAll(/^\[[^:\]\n]+:([^#;\n]*)\]/gm)].map((match) => match[1] ?? ''));
}

async function readHere(job: Job, answer: OracleAnswer): Promise<Buildout> {
  const markers = new Map(answer.markers);
  const { file, env, userDefaults, overrides } = job;
  const marker = (text: string): boolean | null => {
    const known = markers.get(text);
    assert.notEqual(known, undefined, `zc.buildout was not asked about ${text}`);
    return known ?? null;
  };
  return readBuildout({ file, get: noGet, marker, target: answer.target, env: { ...env }, userDefaults, overrides });
}

/** What this project makes of a file, in the oracle's terms. */
async function resultHere(job: Job, answer: OracleAnswer): Promise<OracleResult> {
  try {
    const buildout = await readHere(job, answer);
    // zc.buildout resolves these two at once.
    buildout.section('buildout');
    const versions = buildout.versions();
    const sections = buildout.sections.map((name): readonly [string, Outcome] => {
      try {
        return [name, { values: [...buildout.section(name)] }];
      } catch (error) {
        assert.ok(error instanceof OciPloneError);
        return [name, { failure: error.message }];
      }
    });
    return { sections, versions: [...versions].sort(([a], [b]) => (a < b ? -1 : 1)), sources: {} };
  } catch (error) {
    assert.ok(error instanceof OciPloneError, String(error));
    assert.equal(error.exitCode, 3);
    return { failure: error.code, message: error.message };
  }
}

/** The same values in the same order, failures where the other has some. */
function assertSame(here: OracleResult, there: OracleResult, about: string): void {
  if (here.failure !== undefined || there.failure !== undefined) {
    const [left, right] = [here, there].map((result) =>
      result.failure === undefined ? 'read' : `${result.failure}: ${result.message}`,
    );
    assert.equal(
      here.failure === undefined,
      there.failure === undefined,
      `${about}\nhere: ${left ?? ''}\nthere: ${right ?? ''}`,
    );
    return;
  }
  assert.deepEqual(
    here.sections.map(([name]) => name),
    there.sections.map(([name]) => name),
    about,
  );
  for (const [index, [name, left]] of here.sections.entries()) {
    const right: Outcome = there.sections[index]?.[1] ?? { failure: 'missing' };
    if ('values' in left && 'values' in right) assert.deepEqual(left.values, right.values, `[${name}] of ${about}`);
    else assert.equal('values' in left, 'values' in right, `[${name}] of ${about}\n${JSON.stringify([left, right])}`);
  }
  const pins = there.versions.filter(([, value]) => value !== '');
  assert.deepEqual(
    here.versions,
    pins.map(([name, value]) => [name, value.replace(/^==/, '')]),
    about,
  );
}

describe('zc.buildout, and the files of shared/data', { skip }, () => {
  const data = join(findData(repositoryRoot) ?? '', 'data');
  const absent = existsSync(data) ? false : 'shared/data is not beside this checkout';

  it('are read the same', { skip: absent }, async (t) => {
    using place = lab();
    const jobs = prepare(place, data);
    const answer = await askOracle(jobs, expressionsOf(textsBelow(place.folder)));
    for (const [index, job] of jobs.entries()) {
      const there = answer.results[index];
      assert.ok(there !== undefined && there.failure === undefined, `${job.file}: ${JSON.stringify(there)}`);
      const here = await resultHere(job, answer);
      assertSame(here, there, job.file);
      assert.ok(there.versions.length > 50 || job.file.includes('versions'), job.file);
    }
    t.diagnostic(`${String(jobs.length)} files`);
  });
});

function findData(folder: string): string | null {
  const shared = join(folder, '..', 'shared');
  if (existsSync(shared)) return shared;
  return dirname(folder) === folder ? null : findData(dirname(folder));
}

/** Copies the files into a folder, and into an extends-cache under the addresses by which they extend each other. */
function prepare(place: Lab, data: string): Job[] {
  mkdirSync(place.path('cache'));
  const cached = (url: string): string => place.path(`cache/${createHash('md5').update(url).digest('hex')}`);
  for (const name of readdirSync(join(data, 'zope-versions'))) {
    const [, release = '', kind = ''] = /^([\d.]+)-(versions.*)$/.exec(name) ?? [];
    copyFileSync(
      join(data, 'zope-versions', name),
      cached(`https://zopefoundation.github.io/Zope/releases/${release}/${kind}`),
    );
  }
  const files: string[] = [];
  for (const folder of ['plone-versions', 'zope-versions']) {
    for (const name of readdirSync(join(data, folder))) {
      const text = readFileSync(join(data, folder, name), 'utf8');
      files.push(place.write(`${folder}/${name}`, text));
      // A stand-in for what Plone 4.3 extends and cannot be had any more.
      for (const [url] of text.matchAll(/http:\/\/dist\.plone\.org\/\S+/g)) {
        place.write(
          `cache/${basename(cached(url))}`,
          '[buildout]\nversions = versions\n[versions]\nZope2 = 2.13.22\nlxml = 2.3.6\n',
        );
      }
      // Those of Zope extend their neighbour by a name that is not theirs here.
      const [, release = ''] = /^([\d.]+)-versions\.cfg$/.exec(name) ?? [];
      if (release !== '') {
        const production = readFileSync(join(data, folder, `${release}-versions-prod.cfg`), 'utf8');
        place.write(`zope/${release}/versions-prod.cfg`, production);
        files.push(place.write(`zope/${release}/versions.cfg`, text));
      }
    }
  }
  const readable = files.filter((file) => !/zope-versions\/[\d.]+-versions\.cfg$/.test(file));
  return readable.map((file) => ({
    ...jobFor(place, file),
    overrides: [
      ['buildout', 'extends-cache', place.path('cache')],
      ['buildout', 'offline', 'true'],
    ],
  }));
}

function jobFor(place: Lab, file: string): Job {
  return { file, folder: place.folder, env: { HOME: place.path('home') }, userDefaults: true, overrides: [] };
}

function textsBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

describe('zc.buildout, and generated buildouts', { skip }, () => {
  it('are read the same', async (t) => {
    const seed = Number(process.env['OCI_PLONE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    t.diagnostic(`OCI_PLONE_SEED=${String(seed)}`);
    using place = lab();
    const samples = fc.sample(generatedBuildout, { numRuns: RUNS, seed });
    const jobs = samples.map((sample, index) => write(place, sample, index));
    const answer = await askOracle(
      jobs,
      expressionsOf(samples.flatMap((sample) => [...Object.values(sample.files), sample.userDefaults ?? ''])),
    );
    const counts = { read: 0, partly: 0, refused: 0 };
    for (const [index, job] of jobs.entries()) {
      const there = answer.results[index] ?? { failure: 'missing', message: '' };
      assertSame(
        await resultHere(job, answer),
        there,
        `OCI_PLONE_SEED=${String(seed)}, no. ${String(index)}: ${JSON.stringify(samples[index], null, 1)}`,
      );
      if (there.failure !== undefined) counts.refused += 1;
      else if (there.sections.some(([, outcome]) => 'failure' in outcome)) counts.partly += 1;
      else counts.read += 1;
    }
    t.diagnostic(
      `without a failure ${String(counts.read)}, failures in a section ${String(counts.partly)}, refused ${String(counts.refused)}`,
    );
    assert.ok(counts.read > 5 && counts.partly > 5 && counts.refused > 5, JSON.stringify(counts));
  });
});

function write(place: Lab, sample: Generated, index: number): Job {
  const folder = `b${String(index)}`;
  for (const [name, text] of Object.entries(sample.files)) place.write(`${folder}/${name}`, text);
  if (sample.userDefaults !== null) place.write(`${folder}/home/.buildout/default.cfg`, sample.userDefaults);
  const { overrides } = sample;
  const home = place.path(`${folder}/home`);
  return {
    file: place.path(`${folder}/main.cfg`),
    folder: place.path(folder),
    env: { HOME: home },
    userDefaults: true,
    overrides,
  };
}
