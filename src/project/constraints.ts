import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { localError, OciPloneError, systemCode } from '../errors.ts';
import { localPath } from '../python/index-location.ts';
import type { NixPart } from './nix-part.ts';
import type { ResolvingChoices } from './options.ts';
import type { Project } from './project.ts';
import { placeOf } from './place.ts';
import { lines, words } from './words.ts';

const MOST_FILES = 100;
const LARGEST = 16 * 1024 * 1024;

/**
 * The lines of constraints files, as pip's `-c` has them: those of the command line, and those that the part's option
 * `constraints` names. A file may name others by `-c`.
 *
 * @throws INPUT_ABSENT, INPUT_MALFORMED, LOCAL_IO, and what a request throws
 */
export async function readConstraints(
  project: Project,
  part: NixPart,
  choices: ResolvingChoices,
): Promise<readonly string[]> {
  const { buildout } = project;
  const place = placeOf(buildout, part.section, 'constraints');
  const named = [
    ...(choices.constraints ?? []).map((file) => ({ file: absolute(file, '.'), by: '--constraint' })),
    ...words(buildout.find(part.section, 'constraints')).map((file) => ({
      file: absolute(file, buildout.directory),
      by: place,
    })),
  ];
  const seen = new Set<string>();
  const found: string[] = [];
  for (let next = named.shift(); next !== undefined; next = named.shift()) {
    const { file, by } = next;
    if (seen.has(file)) continue;
    seen.add(file);
    if (seen.size > MOST_FILES)
      throw new OciPloneError('INPUT_MALFORMED', `${by} leads to more than ${MOST_FILES} files`);
    for (const line of logicalLines(await readOne(file, by, project))) {
      const other = /^(?:-c|--constraint)[\s=]+(\S+)/.exec(line)?.[1];
      if (other !== undefined) named.push({ file: absolute(other, baseOf(file)), by: file });
      else if (!line.startsWith('-')) found.push(line);
    }
  }
  return found;
}

/** Without comments, and with lines joined that end in a backslash; hashes of `--hash=` are no bounds. */
function logicalLines(text: string): readonly string[] {
  const joined = text.replace(/\\\r?\n/g, ' ').replaceAll('\r', '');
  return lines(joined.replace(/(^|\s)#.*$/gm, '')).map((line) => line.replace(/\s+--hash[=\s]\S+/g, ''));
}

async function readOne(file: string, by: string, { get, signal }: Project): Promise<string> {
  if (localPath(file, '/') === null) {
    const response = await get(file, { signal });
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body) {
      size += part.length;
      if (size > LARGEST)
        throw new OciPloneError('INPUT_REFUSED', `${file}, named by ${by}, is too large for constraints`);
      parts.push(part);
    }
    if (response.status === 200) return Buffer.concat(parts).toString('utf8');
    throw new OciPloneError('REGISTRY', `${file}, named by ${by}, was answered with status ${response.status}`);
  }
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw localError(`reading ${file}`, error);
    throw new OciPloneError('INPUT_ABSENT', `${file}, named by ${by}, does not exist`, { cause: error });
  }
}

function absolute(file: string, base: string): string {
  if (URL.canParse(file) && /^https?:/i.test(file)) return file;
  if (URL.canParse(base) && /^https?:/i.test(base)) return new URL(file, base).toString();
  return localPath(file, resolve(base)) ?? file;
}

function baseOf(file: string): string {
  return URL.canParse(file) && /^https?:/i.test(file) ? file : dirname(file);
}
