import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Buildout } from '../buildout/read.ts';
import { localPath } from '../python/index-location.ts';
import type { IndexLocation } from '../python/index-location.ts';
import { locateIndex } from '../python/pip.ts';
import type { NixPart } from './nix-part.ts';
import type { ResolvingChoices } from './options.ts';
import type { Project } from './project.ts';
import { words } from './words.ts';

/** What says where distributions are looked for. */
interface Named {
  readonly flags: readonly string[];
  readonly index: string | null;
  readonly findLinks: readonly string[];
}

/**
 * Where distributions are looked for: `--index`, else the part's or the buildout's `index`, else pip's own settings and
 * default.
 *
 * @throws INPUT_ABSENT where nothing names an index, LOCAL_IO, ABORTED
 */
export async function locate(project: Project, part: NixPart, choices: ResolvingChoices): Promise<IndexLocation> {
  const named = await namedPlaces(project, part, choices);
  return locateIndex({ ...named, env: project.env, signal: project.signal });
}

/**
 * The same, for files that a lock names: those that came out of a folder are looked for where folders are named. pip itself
 * is not asked.
 */
export async function locateLocked(project: Project, part: NixPart, choices: ResolvingChoices): Promise<IndexLocation> {
  const named = await namedPlaces(project, part, choices);
  return locateIndex({ ...named, env: project.env, withDefault: false, signal: project.signal });
}

async function namedPlaces({ buildout }: Project, part: NixPart, choices: ResolvingChoices): Promise<Named> {
  const option = (name: string): string => buildout.find(part.section, name) ?? buildout.find('buildout', name) ?? '';
  const flags = (choices.indexes ?? []).map(fromHere);
  return {
    flags,
    index: option('index').trim() || null,
    findLinks: [
      ...[...part.urls.values()].map(({ address, url }) =>
        localPath(url, buildout.directory) === null ? address : url,
      ),
      ...(choices.findLinks ?? []).map(fromHere),
      // A folder that is named as an index may be a wheelhouse, too.
      ...flags.filter((address) => localPath(address, '/') !== null),
      ...words(option('find-links')),
      ...(part.allowFromCache ? await downloadCache(buildout) : []),
    ],
  };
}

/** Where zc.buildout keeps what it downloaded. */
async function downloadCache(buildout: Buildout): Promise<readonly string[]> {
  const cache = (buildout.find('buildout', 'download-cache') ?? '').trim();
  if (cache === '') return [];
  const folder = join(resolve(buildout.directory, cache), 'dist');
  return access(folder).then(
    () => [folder],
    () => [],
  );
}

/** Paths of the command line start from the caller's folder, those of a buildout from its own. */
function fromHere(address: string): string {
  return localPath(address, '.') === null || address.startsWith('file:') ? address : resolve(address);
}
