import { OciPloneError } from '../errors.ts';
import { stripCredentials } from '../python/credentials.ts';
import { isDistributionName } from '../python/index-file.ts';

/** Where one package is taken from, whatever an index says: the recipe's `urls`. */
export interface PinnedUrl {
  /** As it was written, with its hash, and with a user and password if it has them. */
  readonly address: string;
  /** Without credentials and hash. */
  readonly url: string;
  readonly file: string;
  /** Hexadecimal; null where another algorithm, or none, stands there. */
  readonly sha256: string | null;
}

/**
 * Reads `package=url#sha256=…`; `#md5=…`, as the recipe had it, is checked while the file is fetched, too.
 *
 * @throws INPUT_MALFORMED
 */
export function readUrls(
  mapping: ReadonlyMap<string, readonly string[]>,
  place: string,
): ReadonlyMap<string, PinnedUrl> {
  return new Map([...mapping].map(([name, values]) => [name, readUrl(name, values.join(','), place)]));
}

function readUrl(name: string, address: string, place: string): PinnedUrl {
  const [bare = '', hash = ''] = address.split('#', 2);
  const { url } = stripCredentials(bare);
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  const file = decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  if (!isDistributionName(file))
    throw new OciPloneError(
      'INPUT_MALFORMED',
      `${place}: ${name} has the address ${url}, which names no wheel or sdist`,
      {
        hint: 'Write package=https://…/package-1.0.tar.gz#sha256=…',
      },
    );
  return { address, url, file, sha256: /^sha256=([0-9a-f]{64})$/i.exec(hash)?.[1]?.toLowerCase() ?? null };
}
