import { indent, listAttribute } from './lines.ts';
import { nixpkgsReference } from './nixpkgs.ts';
import { packageReference } from './package.ts';
import { attributeName, indentedString, nixString, storeName } from './quote.ts';
import { allRequirements } from './requirements.ts';
import type { ExpressionSet } from './working-set.ts';

/** What a file adds to the definitions, and what it evaluates to. */
export interface Result {
  readonly definitions: readonly string[];
  readonly value: readonly string[];
}

const ENVIRONMENT: readonly string[] = [
  'python.buildEnv.override {',
  '  extraLibs = builtins.attrValues packages;',
  '  ignoreCollisions = true;',
  '}',
];

const ENVIRONMENT_DEFINITION: readonly string[] = `environment = ${ENVIRONMENT.join('\n')};`.split('\n');

/** `NAME-env.nix`: the working set as one Python, beside other things of nixpkgs where there are such. */
export function environmentResult(set: ExpressionSet): Result {
  if (set.environmentInputs.length === 0) return { definitions: [], value: ENVIRONMENT };
  return {
    definitions: ENVIRONMENT_DEFINITION,
    value: [
      'pkgs.buildEnv {',
      `  name = ${nixString(storeName(set.name))};`,
      ...indent(listAttribute('paths', withInputs(set))),
      '  ignoreCollisions = true;',
      '}',
    ],
  };
}

/** `NAME.nix`: what the parts install, with the environment's buildout; a shell for the same. */
export function partsResult(set: ExpressionSet): Result {
  const { buildout } = set;
  const install =
    buildout === null
      ? 'ln -s ${environment} $out'
      : `runHook preInstall
mkdir -p $out
buildout -oU -c \${configuration} buildout:directory=$out
rmdir $out/eggs/* $out/eggs $out/develop-eggs 2> /dev/null || true
rm -f $out/.installed.cfg
runHook postInstall`;
  return {
    definitions: [
      ...ENVIRONMENT_DEFINITION,
      ...(buildout === null
        ? []
        : [
            '',
            '# The parts as they were read, with nothing left to look up.',
            ...`configuration = builtins.toFile "buildout.cfg" ${indentedString(buildout)};`.split('\n'),
          ]),
    ],
    value: [
      'pkgs.stdenv.mkDerivation {',
      `  name = ${nixString(storeName(set.name))};`,
      '  dontUnpack = true;',
      ...indent(listAttribute('buildInputs', withInputs(set))),
      "  installPhase = ''",
      ...indent(indent(install.split('\n'))),
      "  '';",
      '}',
    ],
  };
}

/** `NAME-<egg>.nix`: one package, which here brings along what it needs: for `nix-env -i`, or another environment. */
export function eggResult(set: ExpressionSet, egg: string): Result {
  const needed = allRequirements(set, egg);
  const reference = packageReference(egg);
  if (needed.length === 0) return { definitions: [], value: [reference] };
  return {
    definitions: [],
    value: [
      `${reference}.overridePythonAttrs (_: {`,
      '  dependencies = builtins.attrValues {',
      '    inherit (packages)',
      ...needed.map((name) => `      ${attributeName(name)}`),
      '      ;',
      '  };',
      '})',
    ],
  };
}

/** `default.nix`: a shell with the environment, its buildout, and certificates to fetch with. */
export function shellResult(set: ExpressionSet): Result {
  return {
    definitions: ENVIRONMENT_DEFINITION,
    value: [
      'pkgs.mkShell {',
      `  name = ${nixString(storeName(set.name))};`,
      ...indent(listAttribute('packages', withInputs(set))),
      '  SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";',
      '}',
    ],
  };
}

function withInputs(set: ExpressionSet): readonly string[] {
  return ['environment', ...new Set(set.environmentInputs.map(nixpkgsReference))];
}
