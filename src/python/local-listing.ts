import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { localError, systemCode } from '../errors.ts';
import type { OnProgress } from '../progress.ts';
import { isDistributionName } from './index-file.ts';
import type { Listed } from './index-file.ts';
import type { Listing } from './index-file.ts';
import { parseSimplePage } from './simple-page.ts';

/** An index in a folder: a folder for each project, with an index.html or with the files themselves. */
export function localIndex(folder: string): Listing {
  return {
    label: folder,
    list: async (project) => {
      const own = join(folder, project);
      return (await readLinks(join(own, 'index.html'))) ?? (await readFolder(own));
    },
  };
}

/** A wheelhouse: a folder of files of any project, an HTML page, or one file. A missing one is told of once and is empty. */
export function localLinks(path: string, onProgress: OnProgress | undefined): Listing {
  let listed: Promise<readonly Listed[] | null> | undefined;
  return { label: path, list: async () => (listed ??= readAny(path, onProgress)) };
}

async function readAny(path: string, onProgress: OnProgress | undefined): Promise<readonly Listed[] | null> {
  const status = await stat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw localError(`reading ${path}`, error);
  });
  if (status === null) {
    onProgress?.({ kind: 'note', text: `${path}, named in find-links, is not there` });
    return null;
  }
  if (status.isDirectory()) return (await readFolder(path)) ?? [];
  if (/\.html?$/i.test(path)) return readLinks(path);
  return isDistributionName(basename(path)) ? [local(path, basename(path))] : [];
}

async function readLinks(page: string): Promise<readonly Listed[] | null> {
  const text = await readFile(page).catch((error: unknown) => absent(page, error));
  return text === null ? null : parseSimplePage(text, 'text/html', pathToFileURL(page).toString());
}

async function readFolder(folder: string): Promise<readonly Listed[] | null> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => absent(folder, error));
  return entries === null
    ? null
    : entries.filter((entry) => isFile(entry)).map(({ name }) => local(join(folder, name), name));
}

function isFile(entry: Dirent): boolean {
  return !entry.isDirectory() && isDistributionName(entry.name);
}

function absent(path: string, error: unknown): null {
  if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return null;
  throw localError(`reading ${path}`, error);
}

function local(path: string, file: string): Listed {
  return {
    file,
    url: pathToFileURL(path).toString(),
    hash: null,
    requiresPython: null,
    yanked: null,
    size: null,
    metadata: null,
  };
}
