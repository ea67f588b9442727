import { randomUUID, createHash } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { localError, OciPloneError, systemCode, throwIfAborted } from '../errors.ts';
import type { HttpGet } from '../http/get.ts';
import { malformed, quoted } from './failure.ts';
import { isUrl, shownUrl } from './origin.ts';

/** How files of other machines are had: buildout's options `extends-cache`, `offline` and `newest`. */
export interface FetchPolicy {
  /** The folder of `extends-cache`, or null where it is not set. */
  readonly cache: string | null;
  readonly offline: boolean;
  /** Ask again for what is in the cache, and take that where nothing comes. */
  readonly newest: boolean;
}

/** The text of one file and its names. */
export interface Source {
  readonly text: string;
  /** For messages and origins: an absolute path, or a URL without credentials. */
  readonly shown: string;
  /** The same for every way of writing the same place. */
  readonly identity: string;
}

/** No version file comes near this. */
const LARGEST = 16 * 1024 * 1024;

/** Reads files and URLs, each URL once. */
export class SourceReader {
  readonly #get: HttpGet;
  readonly #signal: AbortSignal | undefined;
  readonly #fetched = new Map<string, string>();

  constructor(get: HttpGet, signal: AbortSignal | undefined) {
    this.#get = get;
    this.#signal = signal;
  }

  /** @param wanted where it is asked for, in the form `, wanted by …`, or empty */
  async read(location: string, policy: FetchPolicy, wanted: string): Promise<Source> {
    throwIfAborted(this.#signal);
    if (!isUrl(location)) return readLocal(location, wanted);
    if (location.startsWith('file://')) {
      return {
        ...(await readLocal(location.slice('file://'.length).replace(/^localhost\//, '/'), wanted)),
        shown: location,
      };
    }
    const shown = shownUrl(location);
    if (!/^https?:\/\//i.test(location) || !URL.canParse(location)) {
      throw malformed(`${shown} is not an address that can be fetched${wanted}`, 'Use https, http, file or a path.');
    }
    let text = this.#fetched.get(location);
    if (text === undefined) {
      text = await this.#fetch(location, policy, wanted);
      this.#fetched.set(location, text);
    }
    return { text, shown, identity: new URL(location).href };
  }

  async #fetch(url: string, policy: FetchPolicy, wanted: string): Promise<string> {
    if (policy.cache === null) return this.#online(url, policy, wanted);
    await requireFolder(policy.cache);
    const file = join(policy.cache, createHash('md5').update(url).digest('hex'));
    const cached = await readFile(file).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return null;
      throw localError(`reading ${file}`, error);
    });
    if (cached !== null && (policy.offline || !policy.newest)) return decode(cached, file, shownUrl(url));
    try {
      const text = await this.#online(url, policy, wanted);
      await keep(file, text);
      return text;
    } catch (error) {
      if (cached === null || (error instanceof OciPloneError && error.code === 'ABORTED')) throw error;
      return decode(cached, file, shownUrl(url));
    }
  }

  async #online(url: string, policy: FetchPolicy, wanted: string): Promise<string> {
    const shown = shownUrl(url);
    if (policy.offline) {
      throw new OciPloneError('INPUT_ABSENT', `${shown} cannot be fetched offline${wanted}`, {
        hint: 'Run once online with extends-cache set to a folder that exists, or copy the file and extend the copy.',
      });
    }
    const response = await this.#get(url, { signal: this.#signal });
    if (response.status < 200 || response.status > 299) {
      await response.body[Symbol.asyncIterator]().return?.();
      throw new OciPloneError('REGISTRY', `${shown} answered with status ${String(response.status)}${wanted}`, {
        hint: 'Look whether the address in extends is right and still served.',
      });
    }
    return decode(await bodyOf(response.body, shown), shown);
  }
}

async function readLocal(location: string, wanted: string): Promise<Source> {
  const path = resolve(location);
  try {
    // The path as it was written: `folder/../x` behind a link is another file than resolve() would name.
    const bytes = await readFile(location);
    return { text: decode(bytes, path), shown: path, identity: await realpath(location) };
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      const comment = location.endsWith('/#') || location.endsWith('/;');
      throw new OciPloneError('INPUT_ABSENT', `${path} does not exist${wanted}`, {
        hint: comment ? 'Values have no comments behind them: put the comment on a line of its own.' : '',
        cause: error,
      });
    }
    if (code === 'EISDIR') throw malformed(`${path} is a folder${wanted}`);
    throw localError(`reading ${path}`, error);
  }
}

async function requireFolder(cache: string): Promise<void> {
  const isFolder = await stat(cache).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) return;
  throw new OciPloneError('INPUT_ABSENT', `the folder ${cache}, named by extends-cache, does not exist`, {
    hint: 'Create it.',
  });
}

async function keep(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, text);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw localError(`writing ${file} into extends-cache`, error);
  }
}

async function bodyOf(body: AsyncIterable<Uint8Array>, shown: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST) throw malformed(`${shown} is larger than ${String(LARGEST)} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array, shown: string, page = shown): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw malformed(`${shown} is not UTF-8 text`, 'Save it as UTF-8.', error);
  }
  const start = text.slice(0, 1000).trimStart();
  if (isUrl(page) && /^<(?:!doctype\s+html|html|\?xml)\b/i.test(start)) {
    throw malformed(
      `${page} is a web page, not a buildout file: it begins with ${quoted(start.slice(0, 40))}`,
      'Use the address of the raw file.',
    );
  }
  return text;
}
