import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, lstat, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Expression } from '../../src/nix/instantiate.ts';
import { hasCode } from '../support/codes.ts';
import { isRoot, makeLab, PRELUDE, skipNix, told } from '../support/nix-lab.ts';
import type { Lab } from '../support/nix-lab.ts';

const skip = skipNix;
let lab: Lab;
before(() => {
  if (!skip) lab = makeLab();
});
after(() => lab?.remove());

const HELLO = `run "hello" "$b mkdir $out; echo $b > $out/needs"`;

test('an expression becomes a store path, and its closure comes with what Nix knows of it', { skip }, async () => {
  const file = lab.write('home/project/hello.nix', PRELUDE + HELLO);
  await lab.withNix({}, async (nix) => {
    const built = await nix.build({ file, args: [], argstrs: [], include: [] });
    assert.match(built.storePath, /^\/nix\/store\/[0-9a-z]{32}-hello$/);
    assert.match(built.system ?? '', /-linux$/);
    const closure = await nix.closure(built.storePath);
    assert.equal(closure.root, built.storePath);
    const [hello, shell] = [...closure.paths].sort((a, b) => a.narSize - b.narSize);
    assert.deepEqual(hello?.references, [shell?.path]);
    assert.deepEqual(
      closure.paths.map(({ path }) => path),
      closure.paths.map(({ path }) => path).sort(),
    );
    for (const { path, onDisk, narHash, narSize } of closure.paths) {
      assert.equal(onDisk, join(lab.store, path));
      assert.ok((await lstat(onDisk)).isDirectory());
      assert.match(narHash, /^sha256:[0-9a-f]{64}$/);
      assert.ok(narSize > 0);
    }
    assert.equal(await readFile(join(hello?.onDisk ?? '', 'needs'), 'utf8'), `${shell?.path}/busybox\n`);
    assert.equal(await nix.systemOf(built.storePath), built.system);
    // The folder on disk stands for the name.
    assert.deepEqual(await nix.closure(hello?.onDisk ?? ''), closure);
  });
});

for (const [what, script] of [
  ['does not know the question', 'echo "error: unrecognised flag" >&2; exit 1'],
  ['answers in another way', 'echo "{\\"version\\":9}"'],
  ['answers as it is known to', `PATH="${process.env['PATH'] ?? ''}"; exec nix "$@"`],
] as const) {
  test(`a closure is the same where the newer program ${what}`, { skip }, async () => {
    const file = lab.write('home/project/same.nix', PRELUDE + HELLO);
    const { storePath } = await lab.withNix({}, (nix) => nix.build({ file, args: [], argstrs: [], include: [] }));
    const expected = await lab.withNix({}, (nix) => nix.closure(storePath));
    const folder = dirname(lab.write('newer/nix', `#!/bin/sh\necho asked >>"$0.log"\n${script}\n`));
    await chmod(join(folder, 'nix'), 0o755);
    const env = { ...lab.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    assert.deepEqual(await lab.withNix({ env, sandbox: 'none' }, (nix) => nix.closure(storePath)), expected);
    assert.equal(await readFile(join(folder, 'nix.log'), 'utf8'), 'asked\n');
    await rm(folder, { recursive: true });
  });
}

test('several attributes of an expression are built in their order', { skip }, async () => {
  const text = `{ one = run "one" "$b echo 1 > $out"; two = run "two" "$b echo 2 > $out"; none = 3; }`;
  const file = lab.write('home/project/attributes.nix', PRELUDE + text);
  await lab.withNix({}, async (nix) => {
    const expression: Expression = { file, args: [], argstrs: [], include: [] };
    const built = await nix.buildAttributes(expression, ['two', 'one']);
    assert.deepEqual(
      built.map(({ storePath, system }) => [storePath.slice(44), system]),
      [
        ['two', 'x86_64-linux'],
        ['one', 'x86_64-linux'],
      ],
    );
    await assert.rejects(nix.buildAttributes(expression, ['one', 'none']), hasCode('INPUT_MALFORMED', 'NIX_FAILED'));
    await assert.rejects(nix.buildAttributes(expression, ['absent']), hasCode('NIX_FAILED'));
  });
});

test('a store in a folder is the same store with and without bubblewrap', { skip }, async () => {
  const inside = await lab.build(HELLO);
  const outside = await lab.build(HELLO, { sandbox: 'none' });
  assert.deepEqual(inside, outside);
  const other = makeLab();
  try {
    const first = await other.build(HELLO, { sandbox: 'none' });
    assert.deepEqual({ ...first, onDisk: inside.onDisk }, inside);
    assert.equal(first.onDisk, join(other.store, first.storePath));
    const ask = (sandbox: 'none' | 'bubblewrap') =>
      other.withNix({ sandbox }, (nix) => nix.closure(first.storePath)).then(({ paths }) => paths);
    assert.deepEqual(await ask('bubblewrap'), await ask('none'));
  } finally {
    await other.remove();
  }
});

test('no temporary file is left, also after an error', { skip }, async () => {
  const temporary = join(lab.folder, 'temporary');
  lab.write('temporary/.keep', '');
  const env = { ...lab.env, TMPDIR: temporary };
  await lab.build(HELLO, { env });
  await assert.rejects(lab.build(`run "stuck" "$b mkdir -p d/e; $b chmod 0 d; exit 1"`, { env }));
  assert.deepEqual(await readdir(temporary), ['.keep']);
});

const GOOD: Record<string, { readonly nix: string; readonly call: Partial<Expression>; readonly name: string }> = {
  '-A': { nix: `{ a = run "a" "$b touch $out"; b = throw "not this one"; }`, call: { attribute: 'a' }, name: 'a' },
  '--arg': { nix: `{ n }: run "n\${toString (n + 1)}" "$b touch $out"`, call: { args: [['n', '1']] }, name: 'n2' },
  '--argstr': { nix: `{ n }: run n "$b touch $out"`, call: { argstrs: [['n', '1']] }, name: '1' },
  'another output than out': {
    nix: `(runWith { outputs = [ "out" "dev" ]; } "x" "$b touch $out $dev").dev`,
    call: {},
    name: 'x-dev',
  },
  'an argument that begins with a dash': {
    nix: `{ n }: run "a\${n}" "$b touch $out"`,
    call: { argstrs: [['n', '-I']] },
    name: 'a-I',
  },
};
for (const [what, { nix, call, name }] of Object.entries(GOOD)) {
  test(`${what} is understood as nix-build does`, { skip }, async () => {
    const { storePath } = await lab.build(nix, {}, call);
    assert.equal(storePath.slice('/nix/store/'.length + 33), name);
  });
}

test('-I and NIX_PATH show the local folders they name, also through a link', { skip }, async () => {
  lab.write('elsewhere/one/default.nix', '"one"');
  lab.write('elsewhere/two/default.nix', '"two"');
  await symlink(join(lab.folder, 'elsewhere/two'), join(lab.folder, 'link-to-two'));
  const nix = `run "\${import <one>}-\${import <two>}" "$b touch $out"`;
  const env = { ...lab.env, NIX_PATH: `one=${lab.folder}/elsewhere/one:two=/absent` };
  const built = await lab.build(nix, { env }, { include: [`two=${lab.folder}/link-to-two`] });
  assert.match(built.storePath, /-one-two$/);
  const both = { ...lab.env, NIX_PATH: join(lab.folder, 'elsewhere') };
  assert.equal((await lab.build(nix, { env: both })).storePath, built.storePath);
});

test('-I of what is not there is INPUT_ABSENT, and says so before Nix says something else', { skip }, async () => {
  const include = [`nixpkgs=${lab.folder}/absent`];
  const call = lab.build('(import <nixpkgs> { }).hello', {}, { include });
  await assert.rejects(call, { code: 'INPUT_ABSENT', message: /^-I nixpkgs=.*absent does not exist$/ });
});

test("Nix's settings pass through: --nix-option wins over NIX_CONFIG, which wins over nix.conf", { skip }, async () => {
  lab.write('home/.config/nix/nix.conf', 'system = from-file\n# system = commented\n');
  const nameOf = async (options: Parameters<Lab['build']>[1]) => {
    const error: unknown = await lab
      .build('throw "it is <${builtins.currentSystem}>"', options)
      .catch((thrown: unknown) => thrown);
    return /it is <(.*)>/.exec(String(error))?.[1] ?? String(error);
  };
  try {
    assert.equal(await nameOf({}), 'from-file');
    const env = { ...lab.env, NIX_CONFIG: 'substituters =\nsystem = from-config' };
    assert.equal(await nameOf({ env }), 'from-config');
    assert.equal(await nameOf({ env, settings: [['system', 'from-option']] }), 'from-option');
  } finally {
    lab.write('home/.config/nix/nix.conf', '');
  }
});

const BAD: Record<string, { readonly nix: string; readonly code: ErrorCode; readonly message: RegExp }> = {
  'a syntax error': { nix: 'run "x', code: 'NIX_FAILED', message: /syntax error|unterminated|unexpected/ },
  'an error of evaluation': { nix: 'throw "my own words"', code: 'NIX_FAILED', message: /my own words/ },
  'several derivations': {
    nix: '{ first = run "1" ""; second = run "2" ""; }',
    code: 'USAGE',
    message: /first, second/,
  },
  'no derivation': { nix: '{ }', code: 'INPUT_MALFORMED', message: /no derivation/ },
  'an attribute that is not there': { nix: '{ }.a', code: 'NIX_FAILED', message: /attribute 'a' missing/ },
};
for (const [what, { nix, code, message }] of Object.entries(BAD)) {
  test(`${what} is ${code}, with Nix's own message`, { skip }, async () => {
    await assert.rejects(lab.build(nix), { code, message });
  });
}

test('what Nix says in its own terms comes with what to do about it', { skip }, async () => {
  const messages: readonly (readonly [expression: string, hint: RegExp])[] = [
    ['import <nixpkgs> { }', /-I nixpkgs=/],
    ['{ python311 = 1; }.python312', /--python/],
  ];
  for (const [expression, hint] of messages) {
    const file = lab.write('home/project/hint.nix', expression);
    const build = lab.withNix({ env: { ...lab.env, NIX_PATH: '' } }, (nix) =>
      nix.build({ file, args: [], argstrs: [], include: [] }),
    );
    await assert.rejects(build, (error) => hasCode('NIX_FAILED')(error) && hint.test(hintOf(error)));
  }
});

function hintOf(error: unknown): string {
  return error instanceof OciPloneError ? error.hint : '';
}

test('an expression that does not exist is INPUT_ABSENT', { skip }, async () => {
  const file = join(lab.project, 'absent.nix');
  const call = lab.withNix({}, (nix) => nix.build({ file, args: [], argstrs: [], include: [] }));
  await assert.rejects(call, { code: 'INPUT_ABSENT' });
});

for (const sandbox of ['bubblewrap', 'none'] as const) {
  test(`a failed build names derivation, log and the file of the whole log (${sandbox})`, { skip }, async () => {
    const script = 'i=0; while [ $i -lt 50 ]; do i=$((i + 1)); echo line $i; done; exit 3';
    const error: unknown = await lab.build(`run "fails" "${script}"`, { sandbox }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof OciPloneError);
    assert.equal(error.code, 'NIX_FAILED');
    assert.match(error.message, /\/nix\/store\/[0-9a-z]{32}-fails\.drv/);
    assert.match(error.message, /line 31\n[^]*line 50/);
    assert.doesNotMatch(error.message, /line 30\n/);
    const file = /\/\S+\.drv/.exec(error.hint)?.[0] ?? '';
    const log = await readFile(file, 'utf8');
    assert.match(log, /^line 1\n[^]*line 50\n$/);
  });
}

const NO_PATHS: Record<string, ErrorCode> = {
  '/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-absent': 'INPUT_ABSENT',
  '/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-absent/bin': 'INPUT_MALFORMED',
  '/nix/store': 'INPUT_MALFORMED',
  '--help': 'INPUT_MALFORMED',
  '/etc': 'INPUT_MALFORMED',
};
for (const [path, code] of Object.entries(NO_PATHS)) {
  test(`the closure of ${path} is ${code}`, { skip }, async () => {
    await assert.rejects(
      lab.withNix({}, (nix) => nix.closure(path)),
      { code },
    );
  });
}

test('what Nix and its builders write is told line by line, without colours', { skip }, async () => {
  lab.events.length = 0;
  await lab.build(`run "talks" "echo -e '\\\\033[31mred\\\\033[0m words'; $b touch $out"`);
  assert.match(told(lab), /^red words$/m);
});

test('what was built is safe from the garbage collector while the session lasts', { skip }, async () => {
  const file = lab.write('home/project/kept.nix', PRELUDE + `run "kept" "$b touch $out"`);
  await lab.withNix({}, async (nix) => {
    const { storePath } = await nix.build({ file, args: [], argstrs: [], include: [] });
    const environment = { ...process.env, NIX_CONFIG: 'build-users-group =\nsubstituters =\n' };
    execFileSync('nix-store', ['--store', lab.store, '--gc'], { env: environment, stdio: 'ignore' });
    assert.equal((await nix.closure(storePath)).root, storePath);
    assert.ok((await lstat(join(lab.store, storePath))).isFile());
  });
});

const skipRoot = skip || (isRoot ? false : 'only root may write to /nix here');
test("without --store, this machine's own /nix is used where it can be written", { skip: skipRoot }, async () => {
  const built = await lab.build(HELLO, { store: undefined });
  await lab.withNix({ store: 'local' }, async (nix) => {
    const { paths } = await nix.closure(built.storePath);
    for (const { path, onDisk } of paths) assert.equal(onDisk, path);
    assert.ok((await lstat(built.storePath)).isDirectory());
  });
});
