import { OciPloneError } from '../../errors.ts';
import { nixString, storeName } from './quote.ts';
import type { PackageSource } from './working-set.ts';

/**
 * Where a package's file comes from, lines of an attribute `src`. The store's name is that of the file, since a wheel's says
 * what it is. Throws INPUT_MALFORMED for a hash that is none, INPUT_REFUSED for an address with a password.
 */
export function sourceLines(one: PackageSource): readonly string[] {
  const name = storeName(one.file);
  const hash = nixString(sri(one));
  if (one.source.kind === 'url') {
    const { url } = one.source;
    refuseCredentials(one);
    return [
      'src = fetchurl {',
      // Nixpkgs takes the name from the address: %2B, or a query, is none.
      ...(url.slice(url.lastIndexOf('/') + 1) === name ? [] : [`  name = ${nixString(name)};`]),
      `  url = ${nixString(url)};`,
      `  hash = ${hash};`,
      '};',
    ];
  }
  const { path } = one.source;
  return [
    'src = builtins.path {',
    `  name = ${nixString(name)};`,
    `  path = ${path.startsWith('/') ? nixString(path) : `./. + ${nixString(`/${path}`)}`};`,
    // With its hash known, Nix reads the file once, and not again for each evaluation.
    `  sha256 = ${hash};`,
    '  recursive = false;',
    '};',
  ];
}

function sri({ file, sha256 }: PackageSource): string {
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new OciPloneError('INPUT_MALFORMED', `${file}: ${JSON.stringify(sha256)} is not a SHA-256 in hexadecimal`);
  }
  return `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;
}

/** An expression ends in a repository and in the store, which everyone may read. */
function refuseCredentials({ file, source }: PackageSource): void {
  if (source.kind === 'url' && /^[^/]*\/\/[^/?#]*@/.test(source.url)) {
    throw new OciPloneError('INPUT_REFUSED', `the address of ${file} has a user or a password in it`, {
      hint: 'Nix takes credentials from a netrc file: see its setting netrc-file.',
    });
  }
}
