import assert from 'node:assert/strict';
import { join, normalize } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { storeName } from '../../src/nix/expressions/quote.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { ExpressionFile, ExpressionSet, PackageSource } from '../../src/nix/expressions/working-set.ts';
import { shellExpression, writeExpressions } from '../../src/nix/expressions/write.ts';
import { hasCode } from '../support/codes.ts';
import { missing } from '../support/fixtures.ts';
import { scratch } from '../support/scratch.ts';
import { evaluate, hostile, instantiate, setOf, wheel, writeFiles } from './expressions.ts';

const skip = missing('nix-instantiate');

function text(files: readonly ExpressionFile[], name: string): string {
  return files.find((file) => file.name === name)?.text ?? assert.fail(`${name} was not written`);
}

const FLAGS = { doCheck: false, dontCheckRuntimeDeps: true };
const SRI = `sha256-${'A'.repeat(43)}=`;

const anyPackage: fc.Arbitrary<PackageSource> = fc
  .record({
    name: hostile,
    version: hostile,
    file: hostile,
    kind: fc.constantFrom('wheel', 'sdist'),
    source: fc.oneof(
      hostile.map((rest) => ({ kind: 'url', url: `https://index.example/${rest}` }) as const),
      hostile.map((rest) => ({ kind: 'path', path: `/wheels/${rest}` }) as const),
      hostile.map((rest) => ({ kind: 'path', path: `./${rest}` }) as const),
    ),
    hooks: fc.dictionary(fc.constantFrom('preBuild', 'postInstall', 'fixupPhase'), hostile),
  })
  .map(({ hooks, ...one }) => ({ ...wheel(''), ...one, hooks: new Map(Object.entries(hooks)) }));

const anySet: fc.Arbitrary<ExpressionSet> = fc
  .record({
    packages: fc.uniqueArray(anyPackage, { maxLength: 4, selector: ({ name }) => name }),
    writtenBy: hostile,
    writtenFrom: hostile,
    buildout: fc.option(hostile, { nil: null }),
    name: hostile.filter((name) => /^[^./\p{Cc}][^/\p{Cc}]*$/u.test(name)),
  })
  .map((more) => setOf(more.packages, { ...more, packages: [...more.packages, wheel('zc-buildout')] }));

test('hostile names, addresses and texts are values in every file, and nothing else', { skip }, async (t) => {
  const root = scratch(t);
  await fc.assert(
    fc.asyncProperty(fc.array(anySet, { minLength: 1, maxLength: 12 }), async (sets) => {
      const folders = sets.map((_, index) => join(root, String(index)));
      const files = await Promise.all(
        sets.map(async (set, index) => {
          const written = [...writeExpressions(set), shellExpression(set)].map((file) => file.text);
          return writeFiles(
            folders[index] ?? '',
            written.map((one, number) => ({ name: String(number), text: one })),
          );
        }),
      );
      const values = await evaluate(root, files.flat());
      const expected = sets.flatMap((set, index) => {
        const environment = {
          environment: { extraLibs: libraries(set, folders[index] ?? ''), ignoreCollisions: true },
        };
        const name = storeName(set.name);
        return [
          { derivation: { name, dontUnpack: true, buildInputs: [environment], installPhase: installPhase(set) } },
          environment,
          { shell: { name, packages: [environment], SSL_CERT_FILE: '/cacert/etc/ssl/certs/ca-bundle.crt' } },
        ];
      });
      assert.deepEqual(values, expected);
    }),
    { numRuns: 25 },
  );
});

/** What the packages of a set evaluate to, sorted by name as Nix does. */
function libraries(set: ExpressionSet, folder: string): readonly object[] {
  return [...set.packages]
    .sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)))
    .map((one) => {
      const { source } = one;
      const native = one.kind === 'wheel' && !one.file.endsWith('-any.whl');
      const name = storeName(one.file);
      return {
        built: {
          ...(one.kind === 'wheel' ? { format: 'wheel' } : { pyproject: true }),
          ...FLAGS,
          ...(native ? { nativeBuildInputs: ['autoPatchelfHook'], buildInputs: ['stdenv.cc.cc.lib', 'zlib'] } : {}),
          pname: storeName(one.name),
          version: storeName(one.version),
          src:
            source.kind === 'url'
              ? { fetchurl: { ...(source.url.endsWith(`/${name}`) ? {} : { name }), url: source.url, hash: SRI } }
              : { path: { name, path: resolved(source.path, folder), sha256: SRI, recursive: false } },
          ...Object.fromEntries([...one.hooks].map(([key, value]) => [key, withEnd(value)])),
        },
      };
    });
}

function installPhase({ buildout }: ExpressionSet): string {
  if (buildout === null) return 'ln -s /environment $out\n';
  return `runHook preInstall
mkdir -p $out
buildout -oU -c FILE ${withEnd(buildout)}END buildout:directory=$out
rmdir $out/eggs/* $out/eggs $out/develop-eggs 2> /dev/null || true
rm -f $out/.installed.cfg
runHook postInstall
`;
}

function withEnd(value: string): string {
  return value.endsWith('\n') ? value : `${value}\n`;
}

function resolved(path: string, folder: string): string {
  return path.startsWith('/') ? path : normalize(join(folder, path)).replace(/\/$/, '');
}

test('a file is written as people write them', () => {
  const packages = [
    wheel('zope-interface', { version: '7.2', file: 'zope.interface-7.2-cp311-cp311-manylinux_2_17_x86_64.whl' }),
    wheel('3to2', { source: { kind: 'path', path: './wheels/3to2-1.0-py3-none-any.whl' }, buildInputs: ['libxml2'] }),
    wheel('old', {
      kind: 'sdist',
      file: 'old-1.0.tar.gz',
      buildSystem: ['setuptools'],
      source: { kind: 'url', url: 'https://index.example/old-1.0.tar.gz?x' },
      hooks: new Map([['preBuild', "echo 'it''s' ${HOME}\n\ntrue"]]),
    }),
  ];
  const files = writeExpressions(
    setOf(packages, { environmentInputs: ['odd."na me".or'], outputs: ['plone-env.nix'] }),
  );
  assert.deepEqual(
    files.map(({ name }) => name),
    ['plone-env.nix'],
  );
  const lines = text(files, 'plone-env.nix').split('\n');
  assert.equal(
    lines[0],
    '# Written by oci-plone 1.2.3 from buildout.cfg, part plone: the environment. Changes are lost when it is written again.',
  );
  assert.equal(
    lines.slice(lines.indexOf('  packages = {')).join('\n'),
    `  packages = {
    "3to2" = wheel {
      pname = "3to2";
      version = "1.0";
      src = builtins.path {
        name = "3to2-1.0-py3-none-any.whl";
        path = ./. + "/./wheels/3to2-1.0-py3-none-any.whl";
        sha256 = "${SRI}";
        recursive = false;
      };
      buildInputs = [ pkgs.libxml2 ];
    };
    old = sdist {
      pname = "old";
      version = "1.0";
      src = fetchurl {
        name = "old-1.0.tar.gz";
        url = "https://index.example/old-1.0.tar.gz?x";
        hash = "${SRI}";
      };
      build-system = [ python.pkgs.setuptools ];
      preBuild = ''
        echo 'it'''s' ''\${HOME}

        true
      '';
    };
    zope-interface = nativeWheel {
      pname = "zope-interface";
      version = "7.2";
      src = fetchurl {
        url = "https://index.example/zope.interface-7.2-cp311-cp311-manylinux_2_17_x86_64.whl";
        hash = "${SRI}";
      };
    };
  };

  environment = python.buildEnv.override {
    extraLibs = builtins.attrValues packages;
    ignoreCollisions = true;
  };
in
pkgs.buildEnv {
  name = "plone";
  paths = [
    environment
    pkgs.odd."na me"."or"
  ];
  ignoreCollisions = true;
}
`,
  );
});

test('the order of what is handed over does not show', () => {
  const packages = ['b', 'a-b', 'a', 'B', 'a_b', 'ab'].map((name) =>
    wheel(name, {
      hooks: new Map([
        ['x', ''],
        ['a', ''],
      ]),
    }),
  );
  const roots = ['b', 'a'];
  const turned = packages.map((one) => ({ ...one, hooks: new Map([...one.hooks].reverse()) })).reverse();
  assert.deepEqual(
    writeExpressions(setOf(packages, { roots })),
    writeExpressions(setOf(turned, { roots: [...roots].reverse() })),
  );
});

const CIRCLE = [
  wheel('app', { requires: ['left', 'absent'] }),
  wheel('left', { requires: ['right'] }),
  wheel('right', { requires: ['left', 'app'], propagatedBuildInputs: ['extra', 'libxml2'] }),
  wheel('extra', { file: 'extra-1-cp311-cp311-linux_x86_64.whl' }),
  wheel('other'),
  wheel('old', { kind: 'sdist', propagatedBuildInputs: ['extra', 'src'], buildSystem: ['setuptools-git', 'old'] }),
  wheel('src', { kind: 'sdist' }),
];

test('an egg brings what it needs, circles and all; elsewhere nothing is propagated', { skip }, async (t) => {
  const set = setOf(CIRCLE, {
    roots: ['app', 'other', 'pillow'],
    fromNixpkgs: new Map([['pillow', 'pythonPackages.pillow']]),
  });
  const files = writeExpressions(set);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['plone.nix', 'plone-env.nix', 'plone-app.nix', 'plone-other.nix', 'plone-pillow.nix'],
  );
  const folder = scratch(t);
  const values = await evaluate(folder, await writeFiles(folder, files), { patchelf: false });
  const [, environment, app, other, pillow] = values.map((value) => JSON.stringify(value));
  const namesOf = (value: string | undefined): readonly string[] =>
    [...(value ?? '').matchAll(/"pname":"([^"]*)"/g)].map(([, name = '']) => name);
  // The package's own name is among the attributes behind its dependencies.
  assert.deepEqual([...namesOf(app)].sort(), ['app', 'extra', 'left', 'right']);
  assert.deepEqual(namesOf(other), ['other']);
  assert.equal(pillow, '"pkgs.pillow"');
  // The sdists are built with wheels of the set, so extra is in it three times; src, a source itself, is not used to build.
  assert.deepEqual(namesOf(environment), ['app', 'extra', 'left', 'extra', 'old', 'other', 'right', 'src']);
  assert.doesNotMatch(environment ?? '', /"dependencies"|autoPatchelfHook/);
  assert.match(environment ?? '', /"nativeBuildInputs":\[\]/);
  assert.match(environment ?? '', /"propagatedBuildInputs":\["libxml2"\]/);
  assert.match(environment ?? '', /"build-system":\["setuptools-git","pkgs.old",\{"built"/);
});

const PINNED = { url: 'https://example.org/nixpkgs-${x}.tar.gz', sha256: '0'.repeat(52) };

test('nixpkgs is the one that was chosen', { skip }, async (t) => {
  const folder = scratch(t);
  const ask = async (nixpkgs: ExpressionSet['nixpkgs']): Promise<unknown> => {
    const [file] = writeExpressions(setOf([], { nixpkgs, outputs: ['plone-env.nix'] }));
    const paths = await writeFiles(folder, [file ?? assert.fail()]);
    const [value] = await evaluate(folder, paths, { asked: true });
    return value;
  };
  assert.deepEqual(await ask({ kind: 'pinned', ...PINNED }), { from: { fetchTarball: PINNED } });
  assert.deepEqual(await ask({ kind: 'folder', path: "/a b/${c}'" }), { from: "/a b/${c}'" });
  assert.match(text(writeExpressions(setOf([])), 'plone.nix'), /pkgs \? import <nixpkgs> \{ \},/);
});

test('nix-instantiate --parse takes every kind of file', { skip }, async (t) => {
  const set = setOf([...CIRCLE, wheel('zc-buildout')], {
    roots: ['app', 'src'],
    buildout: '[buildout]\nparts = a\n',
    nixpkgs: { kind: 'pinned', ...PINNED },
    environmentInputs: ['libxml2'],
  });
  const paths = await writeFiles(scratch(t), [...writeExpressions(set), shellExpression(set)]);
  assert.equal(paths.length, 5);
  assert.notEqual(await instantiate('--parse', ...paths), '');
});

test('outputs chooses files, in the spelling of the recipe, too', () => {
  const roots = ['products-cmfplone', 'plone'];
  const set = setOf(
    roots.map((name) => wheel(name)),
    { roots },
  );
  const table: readonly (readonly [outputs: readonly string[], files: readonly string[]])[] = [
    [['plone.nix'], ['plone.nix']],
    [
      ['./nix/plone-env.nix', 'plone-Products_CMFPlone.nix'],
      ['plone-env.nix', 'plone-products-cmfplone.nix'],
    ],
    [[], ['plone.nix', 'plone-env.nix', 'plone-plone.nix', 'plone-products-cmfplone.nix']],
  ];
  for (const [outputs, files] of table) {
    assert.deepEqual(
      writeExpressions({ ...set, outputs }).map(({ name }) => name),
      files,
    );
  }
});

test('what cannot be written is refused', () => {
  const one = wheel('a');
  const hook = (name: string) => ({ packages: [wheel('a', { hooks: new Map([[name, '']]) })] });
  const table: readonly (readonly [more: Partial<ExpressionSet>, code: ErrorCode])[] = [
    [{ outputs: ['plone-b.nix'] }, 'INPUT_MALFORMED'],
    [{ roots: ['b'] }, 'INPUT_MALFORMED'],
    [{ roots: ['env'], packages: [wheel('env')] }, 'INPUT_MALFORMED'],
    [{ name: '../plone' }, 'INPUT_MALFORMED'],
    [{ name: '.plone' }, 'INPUT_MALFORMED'],
    [{ name: '' }, 'INPUT_MALFORMED'],
    [{ name: 'a\nb' }, 'INPUT_MALFORMED'],
    [{ roots: ['/../a'], packages: [wheel('/../a')] }, 'INPUT_MALFORMED'],
    [{ pythonVersion: 'three' }, 'INPUT_MALFORMED'],
    [{ buildout: '[buildout]\n' }, 'INPUT_MALFORMED'],
    [{ environmentInputs: ['libxml2; x'] }, 'INPUT_MALFORMED'],
    [{ fromNixpkgs: new Map([['a', 'throw ""']]) }, 'INPUT_MALFORMED'],
    [{ nixpkgs: { kind: 'pinned', url: 'https://example.org/', sha256: 'abc' } }, 'INPUT_MALFORMED'],
    [{ packages: [wheel('a', { sha256: 'z'.repeat(64) })] }, 'INPUT_MALFORMED'],
    [{ packages: [wheel('a', { buildInputs: ['${x}'] })] }, 'INPUT_MALFORMED'],
    [hook('src'), 'INPUT_MALFORMED'],
    [hook('a b'), 'INPUT_MALFORMED'],
    [{ packages: [wheel('a', { hooks: new Map([['preBuild', '\0']]) })] }, 'INPUT_REFUSED'],
    [
      { packages: [wheel('a', { source: { kind: 'url', url: 'https://user:secret@index.example/a' } })] },
      'INPUT_REFUSED',
    ],
  ];
  for (const [more, code] of table) {
    assert.throws(() => writeExpressions(setOf([one], more)), hasCode(code), JSON.stringify(more));
  }
  assert.throws(() => shellExpression(setOf([one])), hasCode('INPUT_MALFORMED'));
});
