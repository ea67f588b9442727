import { byName, indent } from './lines.ts';
import { nixpkgsReference, pythonAttribute } from './nixpkgs.ts';
import { builderOf, packageLines } from './package.ts';
import type { Builder } from './package.ts';
import { attributeName } from './quote.ts';
import type { ExpressionSet } from './working-set.ts';

/** Functions that packages are built by, as text, and which packages need them. */
const HELPERS: readonly { readonly of: readonly Builder[]; readonly lines: readonly string[] }[] = [
  {
    of: ['wheel', 'nativeWheel'],
    lines: [
      '# A wheel as it is. No package brings another: an environment holds them all, so what needs each other may do so.',
      'wheel =',
      '  attributes:',
      '  python.pkgs.buildPythonPackage (',
      '    {',
      '      format = "wheel";',
      '      doCheck = false;',
      '      dontCheckRuntimeDeps = true;',
      '    }',
      '    // attributes',
      '  );',
    ],
  },
  {
    of: ['nativeWheel'],
    lines: [
      "# A wheel with machine code: it has to find nixpkgs' libraries where it looked for the system's.",
      'nativeWheel =',
      '  attributes:',
      '  wheel (',
      '    attributes',
      '    // {',
      '      nativeBuildInputs = pkgs.lib.optional (pkgs ? autoPatchelfHook) pkgs.autoPatchelfHook;',
      '      buildInputs = [',
      '        pkgs.stdenv.cc.cc.lib',
      '        pkgs.zlib',
      '      ]',
      '      ++ attributes.buildInputs or [ ];',
      '    }',
      '  );',
    ],
  },
  {
    of: ['sdist'],
    lines: [
      '# A source, built by the backend it names.',
      'sdist =',
      '  attributes:',
      '  python.pkgs.buildPythonPackage (',
      '    {',
      '      pyproject = true;',
      '      doCheck = false;',
      '      dontCheckRuntimeDeps = true;',
      '    }',
      '    // attributes',
      '  );',
    ],
  },
];

/**
 * What stands behind `let`: the Python, and `packages`, a set with each package of the working set by its canonical name.
 * Every file has all of it, so that it can be used alone. Throws INPUT_MALFORMED and INPUT_REFUSED for what cannot be written.
 */
export function definitions(set: ExpressionSet): readonly string[] {
  const built = set.packages.filter(({ name }) => !set.fromNixpkgs.has(name));
  const known = {
    names: new Set([...set.packages.map(({ name }) => name), ...set.fromNixpkgs.keys()]),
    wheels: new Set(built.filter(({ kind }) => kind === 'wheel').map(({ name }) => name)),
  };
  const builders = new Set(built.map(builderOf));
  const entries: (readonly [name: string, lines: readonly string[]])[] = [
    ...built.map((one) => [one.name, [`${builderOf(one)} {`, ...indent(packageLines(one, known)), '}']] as const),
    ...[...set.fromNixpkgs].map(([name, path]) => [name, [nixpkgsReference(path)]] as const),
  ];
  return [
    ...(built.some(({ source }) => source.kind === 'url') ? ['inherit (pkgs) fetchurl;'] : []),
    `python = pkgs.${pythonAttribute(set)};`,
    '',
    ...HELPERS.filter(({ of }) => of.some((builder) => builders.has(builder))).flatMap(({ lines }) => [...lines, '']),
    'packages = {',
    ...indent(
      entries
        .sort(([left], [right]) => byName(left, right))
        .flatMap(([name, lines]) => `${attributeName(name)} = ${lines.join('\n')};`.split('\n')),
    ),
    '};',
  ];
}
