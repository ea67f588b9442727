import { canonicalName } from './name.ts';
import { parseVersion } from './version.ts';
import type { Version } from './version.ts';

/** A digest that an index gives for a file. */
export interface FileHash {
  readonly algorithm: 'sha256' | 'sha512' | 'sha384' | 'sha224' | 'sha1' | 'md5';
  /** Hexadecimal, lower case. */
  readonly value: string;
}

/** What a page of an index, or a folder, says about one file. */
export interface Listed {
  readonly file: string;
  /** Absolute; without credentials and without a fragment. */
  readonly url: string;
  readonly hash: FileHash | null;
  readonly requiresPython: string | null;
  /** Null for a file that was not yanked, else the reason, maybe empty. */
  readonly yanked: string | null;
  readonly size: number | null;
  /** Null where no `.metadata` stands beside the file; its hash may be unknown. */
  readonly metadata: { readonly sha256: string | null } | null;
}

/** A file that may be chosen. */
export interface IndexFile extends Listed {
  /** Canonical. */
  readonly name: string;
  readonly version: Version;
  readonly kind: 'wheel' | 'sdist';
}

/** What would make a path of a name, or hide some of it. */
const UNSAFE = /[/\\\p{Cc}]/u;
const SDIST = /\.(?:tar\.gz|tgz|zip|tar\.bz2|tar\.xz)$/i;

/** Whether a file's name is that of a wheel or of an archive that may be an sdist. */
export function isDistributionName(file: string): boolean {
  return (file.endsWith('.whl') || SDIST.test(file)) && !UNSAFE.test(file);
}

/**
 * A project's own files; not eggs, installers, other projects' files and versions outside PEP 440. The first of two with
 * one name stays.
 */
export function recognizeAll(listed: Iterable<Listed>, project: string): readonly IndexFile[] {
  const files = new Map<string, IndexFile>();
  // A project of 4,000 files has 100 versions.
  const versions = new Map<string, Version | null>();
  for (const entry of listed) {
    const text = files.has(entry.file) ? null : versionText(entry.file, project);
    if (text === null) continue;
    const version = versions.get(text) ?? parseVersion(text);
    versions.set(text, version);
    const kind = entry.file.endsWith('.whl') ? 'wheel' : 'sdist';
    if (version !== null) files.set(entry.file, { ...entry, name: project, version, kind });
  }
  return [...files.values()];
}

/** The projects that files seem to be of, by canonical name: good enough for a suggestion. */
export function projectsOf(listed: readonly Listed[]): readonly string[] {
  const names = listed.map(({ file }) => /^(.+?)-\d/.exec(file)?.[1] ?? '');
  return [...new Set(names.filter((name) => name !== '').map((name) => canonicalName(name)))];
}

/** The version in the name of a project's file, or null where the file is none of the project's. */
function versionText(file: string, project: string): string | null {
  if (!isDistributionName(file)) return null;
  if (file.endsWith('.whl')) {
    const [name = '', version] = file.split('-', 2);
    return version === undefined || canonicalName(name) !== project ? null : version.replaceAll('_', '-');
  }
  const stem = file.replace(SDIST, '');
  // The dash between name and version is not marked: it is where the part before it becomes the project's name.
  for (let dash = stem.indexOf('-'); dash !== -1; dash = stem.indexOf('-', dash + 1))
    if (canonicalName(stem.slice(0, dash)) === project) return stem.slice(dash + 1);
  return null;
}

/** A place where files of projects are listed: an index, a folder, a page of links. */
export interface Listing {
  /** For messages; without credentials. */
  readonly label: string;
  /** What it lists for a project, by canonical name, maybe among files of other projects; null where it does not know it. */
  readonly list: (project: string) => Promise<readonly Listed[] | null>;
}
