import { readFile, readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { localError } from '../errors.ts';
import { FACTS_FILE, type ProgramFacts, programFacts } from '../plone/programs.ts';

/** The Python sources lie in `src` of the package, beside `dist`, in a checkout as in an installed package. */
const FOLDER: string = fileURLToPath(new URL('../../../src/plone/programs', import.meta.url));

const READABLE = 0o644;

export interface ProgramFile {
  /** In the image's working folder, with `/`: `start`, `oci_plone/settings.py`. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/**
 * The programs that run inside an image, and the facts they read, sorted by name.
 *
 * @throws OciPloneError LOCAL_IO where this package's own files cannot be read
 */
export async function programFiles(facts: ProgramFacts): Promise<readonly ProgramFile[]> {
  try {
    const entries = await readdir(FOLDER, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.pyc'))
      .map((entry) => join(entry.parentPath, entry.name));
    const sources = await Promise.all(
      paths.map(async (path) => ({
        name: relative(FOLDER, path).split(sep).join('/'),
        mode: READABLE,
        bytes: new Uint8Array(await readFile(path)),
      })),
    );
    const own = { name: FACTS_FILE, mode: READABLE, bytes: new TextEncoder().encode(programFacts(facts)) };
    return [...sources, own].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch (error) {
    throw localError('reading the programs of an image', error);
  }
}
