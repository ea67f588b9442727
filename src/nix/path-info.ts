import { OciPloneError } from '../errors.ts';
import { isStorePath } from './store.ts';

/** What Nix knows of one store path. */
export interface PathInfo {
  /** Its name, /nix/store/…, in every store. */
  readonly path: string;
  /** Of its NAR serialisation: `sha256:` and hex digits. */
  readonly narHash: string;
  readonly narSize: number;
  readonly references: readonly string[];
}

/**
 * What `nix path-info --recursive --json` prints: a list of objects with their paths until Nix 2.18, and in Lix; an object by path
 * since. It is called experimental: null for what is neither, or no whole closure of `root`.
 */
export function parsePathInfo(json: string, root: string): readonly PathInfo[] | null {
  const document = parsed(json);
  if (typeof document !== 'object' || document === null) return null;
  const entries = Array.isArray(document)
    ? document.map((one: unknown) => [field(one, 'path'), one] as const)
    : Object.entries(document);
  const infos = new Map<string, PathInfo>();
  for (const [path, one] of entries) {
    const info = pathInfo(path, one);
    if (info === null) return null;
    infos.set(info.path, info);
  }
  const isWhole =
    infos.has(root) && [...infos.values()].every(({ references }) => references.every((path) => infos.has(path)));
  return isWhole ? [...infos.values()] : null;
}

function pathInfo(path: unknown, one: unknown): PathInfo | null {
  const narHash = field(one, 'narHash');
  const narSize = field(one, 'narSize');
  const references = field(one, 'references');
  // Subresource integrity, as W3C has it.
  const base64 = typeof narHash === 'string' ? /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(narHash)?.[1] : undefined;
  if (typeof path !== 'string' || !isStorePath(path) || base64 === undefined) return null;
  if (typeof narSize !== 'number' || !Number.isSafeInteger(narSize) || !Array.isArray(references)) return null;
  const names = references.filter((name: unknown) => typeof name === 'string');
  if (names.length < references.length) return null;
  return { path, narHash: `sha256:${Buffer.from(base64, 'base64').toString('hex')}`, narSize, references: names };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/**
 * What `nix-store --dump-db` prints for each path, a line each: path, narHash in hex, narSize, deriver, the count of
 * references, the references. The order is that of the arguments. Throws NIX_FAILED for anything else.
 */
export function parseDump(dump: string): readonly PathInfo[] {
  const lines = dump.split('\n');
  const paths: PathInfo[] = [];
  for (let at = 0; at < lines.length && lines[at] !== '';) {
    const [path = '', hash = '', size = '', , count = ''] = lines.slice(at, at + 5);
    const references = lines.slice(at + 5, at + 5 + Number(count));
    const isWhole = /^\d+$/.test(count) && references.length === Number(count) && references.every(isStorePath);
    if (!isStorePath(path) || !/^[0-9a-f]{64}$/.test(hash) || !/^\d+$/.test(size) || !isWhole) {
      throw new OciPloneError('NIX_FAILED', `nix-store --dump-db: line ${at + 1} is not what was expected`);
    }
    paths.push({ path, narHash: `sha256:${hash}`, narSize: Number(size), references });
    at += 5 + references.length;
  }
  return paths;
}
