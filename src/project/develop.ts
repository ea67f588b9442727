import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Buildout } from '../buildout/read.ts';
import { localError, OciPloneError, systemCode } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { decodeText, parseMetadata } from '../python/metadata.ts';
import type { CoreMetadata } from '../python/metadata.ts';
import { parseRequiresTxt } from '../python/sdist.ts';
import { readSourceMetadata } from './develop-source.ts';
import type { SourceMetadata } from './develop-source.ts';
import { placeOf } from './place.ts';
import { words } from './words.ts';

/** A develop egg: a source folder that stands for a distribution. */
export interface DevelopEgg {
  /** Canonical. */
  readonly name: string;
  /** Null where only a build would tell. */
  readonly version: string | null;
  readonly metadata: CoreMetadata;
  readonly folder: string;
}

const UNKNOWN_VERSION = '0';

/**
 * The develop eggs of `[buildout] develop`, with what each requires. Their code is not run: a source that computes its
 * requirements is read from the egg-info that buildout or pip left beside it.
 *
 * @throws INPUT_MALFORMED where what one requires cannot be read, LOCAL_IO
 */
export async function readDevelopEggs(buildout: Buildout, onProgress?: OnProgress): Promise<readonly DevelopEgg[]> {
  const eggs: DevelopEgg[] = [];
  for (const pattern of words(buildout.find('buildout', 'develop'))) {
    const folders = await glob(buildout.directory, pattern);
    if (folders.length === 0)
      onProgress?.({ kind: 'note', text: `${placeOf(buildout, 'buildout', 'develop')}: ${pattern} is not there` });
    for (const folder of folders) eggs.push(await readEgg(folder, placeOf(buildout, 'buildout', 'develop')));
  }
  return eggs;
}

async function readEgg(folder: string, place: string): Promise<DevelopEgg> {
  const [pyproject, setupCfg, setupPy] = await Promise.all(
    ['pyproject.toml', 'setup.cfg', 'setup.py'].map(async (name) => readText(join(folder, name))),
  );
  const files = { pyproject: pyproject ?? null, setupCfg: setupCfg ?? null, setupPy: setupPy ?? null };
  const source = readSourceMetadata(files);
  const eggInfo = await readEggInfo(folder);
  if (source === null && eggInfo === null)
    throw new OciPloneError(
      'INPUT_MALFORMED',
      `${place}: what the develop egg ${folder} requires is not written down`,
      {
        hint: `Its setup.py computes it: run "python setup.py egg_info" in ${folder} once, or list it in pyproject.toml.`,
      },
    );
  const version = source?.version ?? eggInfo?.version ?? null;
  const metadata = source === null ? null : metadataOf(source, version, folder);
  const found = metadata ?? eggInfo?.metadata;
  if (found === undefined) throw new TypeError('one of the two is there');
  return { name: found.name, version, metadata: found, folder };
}

/** As METADATA would have it, so that it is read as that of any distribution. */
function metadataOf({ name, requires, extras }: SourceMetadata, version: string | null, folder: string): CoreMetadata {
  const sections = [...extras].map(([extra, lines]) => `[${extra}]\n${lines.join('\n')}`);
  return toMetadata(name, version, [requires.join('\n'), ...sections].join('\n'), folder);
}

function toMetadata(name: string, version: string | null, requiresTxt: string, from: string): CoreMetadata {
  const { requires, extras } = parseRequiresTxt(requiresTxt);
  const fields = [
    'Metadata-Version: 2.1',
    `Name: ${name}`,
    `Version: ${version ?? UNKNOWN_VERSION}`,
    ...requires.map((line) => `Requires-Dist: ${line}`),
    ...extras.map((extra) => `Provides-Extra: ${extra}`),
  ];
  return parseMetadata(Buffer.from(`${fields.join('\n')}\n`), from);
}

/** What setuptools wrote, in the folder itself or in its `src`. */
async function readEggInfo(
  folder: string,
): Promise<{ readonly version: string; readonly metadata: CoreMetadata } | null> {
  for (const parent of [folder, join(folder, 'src')]) {
    const names = (await list(parent)).filter((name) => name.endsWith('.egg-info')).sort();
    for (const name of names) {
      const info = await readText(join(parent, name, 'PKG-INFO'));
      if (info === null) continue;
      const { name: project, version } = parseMetadata(Buffer.from(info), join(parent, name));
      const requires = (await readText(join(parent, name, 'requires.txt'))) ?? '';
      return { version, metadata: toMetadata(project, version, requires, join(parent, name)) };
    }
  }
  return null;
}

/** What a pattern of `develop` names: folders, or setup.py files in them; sorted, as buildout has them. */
async function glob(base: string, pattern: string): Promise<readonly string[]> {
  let found = [isAbsolute(pattern) ? '/' : base];
  for (const part of pattern.split('/')) {
    if (part === '' || part === '.') continue;
    const next = await Promise.all(
      found.map(async (folder) => {
        if (!/[*?[]/.test(part)) return [resolve(folder, part)];
        const matches = matcher(part);
        return (await list(folder)).filter((name) => matches.test(name)).map((name) => join(folder, name));
      }),
    );
    found = next.flat();
  }
  const folders = await Promise.all(
    found.sort().map(async (path) => {
      const status = await stat(path).catch(() => null);
      if (status === null) return [];
      return status.isDirectory() ? [path] : [dirname(path)];
    }),
  );
  return folders.flat();
}

/** A part of a path with `*`, `?` and `[…]`; hidden names are not matched by a star, as with Python's glob. */
function matcher(part: string): RegExp {
  const source = part.replace(/\[!?[^\]]+\]|[*?.+^${}()|[\]\\]/g, (mark) => {
    if (mark === '*') return '.*';
    if (mark === '?') return '.';
    return mark.length > 1 ? mark.replace('[!', '[^').replaceAll('\\', '\\\\') : `\\${mark}`;
  });
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${source}$`, 's');
}

async function list(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw localError(`reading ${folder}`, error);
  });
}

async function readText(path: string): Promise<string | null> {
  try {
    return decodeText(await readFile(path));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error))) return null;
    throw localError(`reading ${path}`, error);
  }
}
