import { OciPloneError } from '../../errors.ts';
import { attributeName, nixString, splitAttributePath } from './quote.ts';
import type { ExpressionSet, Nixpkgs } from './working-set.ts';

const HASH = /^(?:sha256-[A-Za-z0-9+/]{43}=|[0-9a-f]{64}|[0-9abcdfghijklmnpqrsvwxyz]{52})$/;

/** Names of 2015 and of today for the packages of the Python that the environment has. */
const PYTHON_PACKAGES: ReadonlySet<string> = new Set(['pythonPackages', 'python3Packages']);

/** The file's argument: nixpkgs, which a caller may replace. Throws INPUT_MALFORMED for a hash that is none. */
export function nixpkgsArgument(nixpkgs: Nixpkgs): readonly string[] {
  if (nixpkgs.kind === 'search-path') return ['{', '  pkgs ? import <nixpkgs> { },', '}:'];
  if (nixpkgs.kind === 'folder') return ['{', `  pkgs ? import ${nixString(nixpkgs.path)} { },`, '}:'];
  const { url, sha256 } = nixpkgs;
  if (!HASH.test(sha256)) {
    throw new OciPloneError('INPUT_MALFORMED', `${JSON.stringify(sha256)} is not a SHA-256 of nixpkgs`, {
      hint: 'nix-prefetch-url --unpack URL prints the hash of an address.',
    });
  }
  return [
    '{',
    '  pkgs ? import (fetchTarball {',
    `    url = ${nixString(url)};`,
    `    sha256 = ${nixString(sha256)};`,
    '  }) { },',
    '}:',
  ];
}

/** `python311` for 3.11.2. Throws INPUT_MALFORMED. */
export function pythonAttribute(set: Pick<ExpressionSet, 'pythonVersion'>): string {
  const [, major, minor] = /^(\d+)\.(\d+)(?:\.|$)/.exec(set.pythonVersion) ?? [];
  if (major === undefined || minor === undefined) {
    throw new OciPloneError('INPUT_MALFORMED', `${JSON.stringify(set.pythonVersion)} is not a version of Python`);
  }
  return `python${major}${minor}`;
}

/** What an attribute path of nixpkgs is in an expression. Throws INPUT_MALFORMED. */
export function nixpkgsReference(path: string): string {
  const [first = '', ...rest] = splitAttributePath(path);
  const root = PYTHON_PACKAGES.has(first) ? ['python', 'pkgs'] : ['pkgs', first];
  return [...root, ...rest].map(attributeName).join('.');
}
