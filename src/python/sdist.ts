import { OciPloneError } from '../errors.ts';
import { withFile } from './byte-source.ts';
import { decodeText } from './metadata.ts';
import type { CoreMetadata } from './metadata.ts';
import { canonicalName } from './name.ts';
import { parseRequirement } from './requirement.ts';
import { readTarMembers } from './tar-members.ts';
import { LARGEST_METADATA, parseOwnMetadata } from './wheel.ts';
import { readZipDirectory, readZipEntry } from './zip.ts';

/** Which file an sdist is. */
export interface SdistFile {
  readonly name: string;
  readonly version: string;
  readonly file: string;
}

const WANTED = /^[^/]+\/PKG-INFO$|(?:^|\/)[^/]+\.egg-info\/(?:PKG-INFO|requires\.txt)$/;

/**
 * The metadata of an sdist on disk, without building it: PKG-INFO where it says that it is final (Metadata 2.2), else what
 * setuptools wrote into egg-info.
 *
 * @throws INPUT_MALFORMED, INPUT_REFUSED
 */
export async function readSdistMetadata(path: string, sdist: SdistFile): Promise<CoreMetadata> {
  const members = /\.zip$/i.test(sdist.file) ? await readZipMembers(path, sdist) : await readTar(path, sdist);
  const names = [...members.keys()].sort((left, right) => left.length - right.length || (left < right ? -1 : 1));
  const infos = names.filter((name) => name.endsWith('.egg-info/PKG-INFO'));
  // A folder of tests may hold eggs of other projects.
  const own = infos.find((name) => canonicalName(/([^/]+)\.egg-info\//.exec(name)?.[1] ?? '') === sdist.name);
  const root = names.find((name) => /^[^/]+\/PKG-INFO$/.test(name)) ?? own;
  const head = root === undefined ? undefined : members.get(root);
  if (head === undefined) throw unknown(sdist, 'it has no PKG-INFO');
  const metadata = parseOwnMetadata(head, sdist);
  if (isFinal(metadata)) return metadata;
  const egg = own ?? infos[0];
  if (egg === undefined) throw unknown(sdist, 'its PKG-INFO does not tell them, and it has no egg-info');
  const lines = members.get(egg.replace(/PKG-INFO$/, 'requires.txt'));
  // No requires.txt beside setuptools' PKG-INFO: it requires nothing.
  const { requires, extras } = parseRequiresTxt(lines === undefined ? '' : decodeText(lines));
  return {
    ...metadata,
    requires: requires.map((line) => parseRequirement(line, sdist.file)),
    extras: [...new Set([...metadata.extras, ...extras.map((extra) => canonicalName(extra))])].sort(),
  };
}

/** PEP 643: from Metadata 2.2 on, a field is what it is unless it is named by Dynamic. */
function isFinal({ metadataVersion, dynamic }: CoreMetadata): boolean {
  const [major = 0, minor = 0] = metadataVersion.split('.').map(Number);
  return (major > 2 || (major === 2 && minor >= 2)) && !dynamic.includes('requires-dist');
}

async function readTar(path: string, { file }: SdistFile): Promise<ReadonlyMap<string, Uint8Array>> {
  if (/\.(?:tar\.gz|tgz)$/i.test(file))
    return readTarMembers(path, file, (name) => WANTED.test(name), LARGEST_METADATA);
  throw new OciPloneError('INPUT_REFUSED', `${file}: archives of this kind are not read`, {
    hint: 'Put a wheel of it, or a .tar.gz, into a folder and name the folder in the option find-links.',
  });
}

async function readZipMembers(path: string, { file }: SdistFile): Promise<ReadonlyMap<string, Uint8Array>> {
  return withFile(path, async (opened) => {
    const source = { ...opened, name: file };
    const members = new Map<string, Uint8Array>();
    for (const entry of await readZipDirectory(source))
      if (WANTED.test(entry.name)) members.set(entry.name, await readZipEntry(source, entry, LARGEST_METADATA));
    return members;
  });
}

function unknown({ file, name, version }: SdistFile, why: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `what ${file} requires is not known before it is built: ${why}`, {
    hint: `Build a wheel of ${name} ${version}, put it into a folder and name the folder in the option find-links.`,
  });
}

/**
 * The requirements of an egg's `requires.txt` as lines of PEP 508. A section is `[extra]`, `[:marker]` or `[extra:marker]`.
 * Extras come with it, canonical or not, as they were written.
 */
export function parseRequiresTxt(text: string): {
  readonly requires: readonly string[];
  readonly extras: readonly string[];
} {
  const requires: string[] = [];
  const extras = new Set<string>();
  let condition = '';
  for (const line of text.split(/\r\n|\r|\n/).map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, extra, marker] = /^\[([^:\]]*)(?::(.*))?\]$/.exec(line) ?? [];
    if (extra !== undefined) {
      const name = extra.trim();
      if (name !== '') extras.add(name);
      const parts = [marker === undefined ? '' : `(${marker})`, name === '' ? '' : `extra == "${name}"`];
      condition = parts.filter((part) => part !== '').join(' and ');
    } else requires.push(condition === '' ? line : joinMarker(line, condition));
  }
  return { requires, extras: [...extras] };
}

function joinMarker(line: string, condition: string): string {
  const [, requirement = line, own] = /^(.*?)\s*;\s*(.*)$/.exec(line) ?? [];
  return own === undefined ? `${requirement} ; ${condition}` : `${requirement} ; (${own}) and ${condition}`;
}
