import type { OnProgress } from '../progress.ts';
import type { IndexFile } from '../python/index-file.ts';
import type { PackageIndex, Project } from '../python/package-index.ts';
import { parseVersion } from '../python/version.ts';
import type { DevelopEgg } from './develop.ts';
import type { PinnedUrl } from './pinned-url.ts';

/** What a buildout says about where single distributions come from. */
export interface OwnSources {
  readonly develop: readonly DevelopEgg[];
  readonly urls: ReadonlyMap<string, PinnedUrl>;
  /** The pins, since a develop egg of another version than its pin does not count. */
  readonly pins: ReadonlyMap<string, string>;
  /** `allow-hosts`: globs of hosts that files may come from. */
  readonly allowHosts: readonly string[];
}

const DEVELOP = 'develop:';

/** An index as one buildout sees it: develop eggs before all, the addresses of `urls` in place of what is listed. */
export function ownIndex(index: PackageIndex, sources: OwnSources, onProgress: OnProgress | undefined): PackageIndex {
  const develop = new Map(sources.develop.map((egg) => [egg.name, egg]));
  const isAllowed = hostFilter(sources.allowHosts);
  let read = 0;
  return {
    ...index,
    project: async (name) => {
      const egg = develop.get(name);
      const own = egg === undefined ? null : developFile(egg, sources.pins.get(name));
      if (own !== null) return { name, files: [own], found: true, others: [] };
      const project = await index.project(name);
      const url = sources.urls.get(name);
      if (url !== undefined) return only(project, url);
      return { ...project, files: project.files.filter((file) => isAllowed(file.url)) };
    },
    metadata: async (file) => {
      const egg = develop.get(file.name);
      if (egg !== undefined && file.url.startsWith(DEVELOP)) return egg.metadata;
      const metadata = await index.metadata(file);
      read += 1;
      onProgress?.({ kind: 'resolve', distributions: read, name: file.name });
      return metadata;
    },
    sha256: async (file) => (file.url.startsWith(DEVELOP) ? '' : index.sha256(file)),
  };
}

function only(project: Project, { file }: PinnedUrl): Project {
  const files = project.files.filter((one) => one.file === file);
  return { ...project, files, found: files.length > 0 };
}

/** A file that is never fetched; null where the pin asks for another version, which then comes from the index. */
function developFile({ name, version, folder }: DevelopEgg, pin: string | undefined): IndexFile | null {
  const pinned = pin === undefined ? null : parseVersion(pin);
  const own = parseVersion(version ?? '') ?? pinned ?? parseVersion('0');
  if (own === null || (pinned !== null && pinned.normal !== own.normal)) return null;
  return {
    name,
    version: own,
    kind: 'sdist',
    file: `${name}-${own.text}.tar.gz`,
    url: `${DEVELOP}${folder}`,
    hash: null,
    requiresPython: null,
    yanked: null,
    size: null,
    metadata: null,
  };
}

/** Globs such as `*.python.org`, of which `*` allows all; files of this machine always are. */
function hostFilter(globs: readonly string[]): (url: string) => boolean {
  if (globs.length === 0 || globs.includes('*')) return () => true;
  const patterns = globs.map(
    (glob) =>
      new RegExp(
        `^${glob
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
        'i',
      ),
  );
  return (url) => url.startsWith('file:') || patterns.some((pattern) => pattern.test(new URL(url).host));
}
