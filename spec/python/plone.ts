import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readBuildout } from '../../src/buildout/read.ts';
import { openHttp } from '../../src/http/client.ts';
import { markerEnvironment, markerOrNull } from '../../src/python/markers.ts';
import { openPackageIndex } from '../../src/python/package-index.ts';
import { locateIndex, readPipSettings } from '../../src/python/pip.ts';
import { type ResolveOptions, resolveWorkingSet } from '../../src/python/resolve.ts';
import type { Target } from '../../src/python/target.ts';
import type { Wanted, WorkingSet } from '../../src/python/working-set.ts';
import { repositoryRoot } from '../support/fixtures.ts';

/** The folder of real version files, which lies beside a checkout, or null. */
export function findData(folder: string = repositoryRoot): string | null {
  const shared = join(folder, '..', 'shared', 'data');
  if (existsSync(shared)) return shared;
  return dirname(folder) === folder ? null : findData(dirname(folder));
}

/** Puts Zope's files into an extends-cache under the addresses by which they are extended; gone ones are empty there. */
function fillExtendsCache(cache: string, data: string, text: string): void {
  mkdirSync(cache, { recursive: true });
  const keep = (url: string, content: string | Buffer): void =>
    writeFileSync(join(cache, createHash('md5').update(url).digest('hex')), content);
  for (const name of readdirSync(join(data, 'zope-versions'))) {
    const [, release = '', file = ''] = /^([\d.]+)-(versions.*)$/.exec(name) ?? [];
    keep(
      `https://zopefoundation.github.io/Zope/releases/${release}/${file}`,
      readFileSync(join(data, 'zope-versions', name)),
    );
  }
  for (const [url] of text.matchAll(/http:\/\/dist\.plone\.org\/\S+/g)) keep(url, '[versions]\nZope2 = 2.13.22\n');
}

/**
 * The pins of a real version file, read as a buildout.
 *
 * @param scratch - a folder for what it extends
 */
export async function pinsOf(
  name: string,
  data: string,
  scratch: string,
  target: Target,
): Promise<ReadonlyMap<string, string>> {
  const file = join(data, 'plone-versions', name);
  fillExtendsCache(join(scratch, 'extends'), data, readFileSync(file, 'utf8'));
  const environment = markerEnvironment(target);
  const buildout = await readBuildout({
    file,
    get: async (url) => Promise.reject(new Error(`unexpected request for ${url}`)),
    marker: (text) => markerOrNull(text, environment),
    target: { pythonVersion: target.pythonVersion, sysPlatform: 'linux', bits: 64, implementation: 'CPython' },
    env: {},
    userDefaults: false,
    offline: true,
    overrides: [['buildout', 'extends-cache', join(scratch, 'extends')]],
  });
  return buildout.versions();
}

/** Resolves against the index that pip is set up with here. */
export async function resolveOnline(
  what: Wanted,
  cacheFolder: string,
  options: ResolveOptions = {},
): Promise<WorkingSet> {
  const { env } = process;
  const http = openHttp({ env, ...(await readPipSettings(env)) });
  try {
    const location = await locateIndex({ flags: [], index: null, findLinks: [], env });
    const index = openPackageIndex(location, {
      get: http.get,
      baseFolder: cacheFolder,
      cacheFolder,
      now: () => Date.now(),
    });
    return await resolveWorkingSet(what, index, options);
  } finally {
    await http.close();
  }
}
