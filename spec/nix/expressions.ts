import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import type { ExpressionFile, ExpressionSet, PackageSource } from '../../src/nix/expressions/working-set.ts';

const run = promisify(execFile);

const WORDS = `' '' " $ \${ { } \\ # /* */ ; . .. ! + [ \` a B 0 - _ é 😀 $$ ''\${ ''\\n or in %2B ?q=1 <nixpkgs>`;
const SPACES = [' ', '   ', '\n', '\r', '\t', '\u2028', '\u0001'];
const PROGRAMS = ['${throw "x"}', '"; x = throw "y"; "', "''; x = throw \"z\"; y = ''"];

/** Text out of what means something to Nix, to a shell, or to whoever prints a line. */
export const hostile: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...WORDS.split(' '), ...SPACES, ...PROGRAMS), { maxLength: 12 })
  .map((words) => words.join(''));

/** A wheel that needs nothing. */
export function wheel(name: string, more: Partial<PackageSource> = {}): PackageSource {
  const version = more.version ?? '1.0';
  const file = more.file ?? `${name.replaceAll('-', '_')}-${version}-py3-none-any.whl`;
  return {
    name,
    version,
    file,
    kind: 'wheel',
    source: { kind: 'url', url: `https://index.example/${file}` },
    sha256: '00'.repeat(32),
    requires: [],
    buildSystem: [],
    buildInputs: [],
    propagatedBuildInputs: [],
    hooks: new Map(),
    ...more,
  };
}

/** A working set of these packages. */
export function setOf(packages: readonly PackageSource[], more: Partial<ExpressionSet> = {}): ExpressionSet {
  return {
    name: 'plone',
    writtenBy: 'oci-plone 1.2.3',
    writtenFrom: 'buildout.cfg, part plone',
    nixpkgs: { kind: 'search-path' },
    pythonVersion: '3.11.2',
    packages,
    roots: [],
    environmentInputs: [],
    fromNixpkgs: new Map(),
    buildout: null,
    outputs: [],
    ...more,
  };
}

/** Writes files into a folder, and returns their paths. */
export async function writeFiles(folder: string, files: readonly ExpressionFile[]): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  return Promise.all(
    files.map(async ({ name, text }) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    }),
  );
}

/** What `nix-instantiate` prints; it rejects where Nix does. */
export async function instantiate(...args: readonly string[]): Promise<string> {
  // A store of its own is not needed: nothing is added to one.
  const env = { ...process.env, NIX_REMOTE: 'dummy://', NIX_PATH: '' };
  return (await run('nix-instantiate', args, { env, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

/** A nixpkgs whose functions give back what they were called with, and what would touch files or the network does so, too. */
const HARNESS = `
  { file, patchelf, asked }:
  let
    build = x: { built = x; overridePythonAttrs = f: build (x // f x); };
    nixpkgs = {
      lib.optional = condition: x: if condition then [ x ] else [ ];
      fetchurl = x: { fetchurl = x; };
      stdenv = { cc.cc.lib = "stdenv.cc.cc.lib"; mkDerivation = x: { derivation = x; }; };
      buildEnv = x: { buildEnv = x; };
      mkShell = x: { shell = x; };
      zlib = "zlib";
      libxml2 = "libxml2";
      odd."na me".or = "odd";
      cacert = "/cacert";
      python311 = {
        pkgs = { buildPythonPackage = build; setuptools = "pkgs.setuptools"; setuptools-git = "setuptools-git"; pillow = "pkgs.pillow"; old = "pkgs.old"; };
        buildEnv.override = x: { environment = x; outPath = "/environment"; };
      };
    } // (if patchelf then { autoPatchelfHook = "autoPatchelfHook"; } else { });
    clean = x:
      if builtins.isAttrs x then builtins.mapAttrs (_: clean) (removeAttrs x [ "overridePythonAttrs" "outPath" ])
      else if builtins.isList x then map clean x
      else x;
    scope = {
      builtins = builtins // {
        path = x: { path = x // { path = toString x.path; }; };
        toFile = name: text: "FILE \${text}END";
      };
      fetchTarball = x: { fetchTarball = x; };
      import = from: _: nixpkgs // {
        python311 = nixpkgs.python311 // { buildEnv.override = x: { inherit from; }; };
      };
    };
  in
  clean (builtins.scopedImport scope file (if asked then { } else { pkgs = nixpkgs; }))
`;

/** What files evaluate to, with a nixpkgs that only records, or (`asked`) which nixpkgs they ask for themselves. */
export async function evaluate(
  folder: string,
  files: readonly string[],
  { patchelf = true, asked = false }: { readonly patchelf?: boolean; readonly asked?: boolean } = {},
): Promise<readonly unknown[]> {
  const harness = join(folder, 'harness');
  const list = join(folder, 'list');
  await writeFile(harness, HARNESS);
  const calls = files.map((file) => {
    const text = JSON.stringify(file).replaceAll('$', '\\$');
    return `(import ${harness} { file = ${text}; patchelf = ${patchelf}; asked = ${asked}; })`;
  });
  await writeFile(list, `[ ${calls.join('\n')} ]`);
  const value: unknown = JSON.parse(await instantiate('--eval', '--strict', '--json', list));
  if (!Array.isArray(value)) throw new TypeError('not a list');
  return value;
}
