import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { failedDerivation, missingPaths, nixMessage, printable } from '../../src/nix/message.ts';
import { openStore, storePathOf } from '../../src/nix/store.ts';
import { isRoot, makeLab, skipNix, told, which } from '../support/nix-lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'oci-plone-store-'));
after(() => rmSync(folder, { recursive: true }));

const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
const PATH = `/nix/store/${HASH}-name-1.0`;

test('--store is a folder, local or daemon; NIX_REMOTE counts as asking', () => {
  const root = join(folder, 'a');
  assert.deepEqual(openStore(root, { NIX_REMOTE: 'daemon' }), { kind: 'chroot', root });
  assert.ok(existsSync(join(root, 'nix')));
  assert.deepEqual(openStore('local', {}), { kind: 'local' });
  assert.deepEqual(openStore(undefined, { NIX_REMOTE: 'local' }), { kind: 'local' });
  const socket = join(folder, 'socket');
  writeFileSync(socket, '');
  assert.deepEqual(openStore('daemon', { NIX_DAEMON_SOCKET_PATH: socket }), { kind: 'daemon', socket });
  assert.deepEqual(openStore(`unix://${socket}`, {}), { kind: 'daemon', socket });
});

for (const [store, code] of [
  ['ssh://host', 'USAGE'],
  ['https://cache.example.org', 'USAGE'],
  ['local?root=/x', 'USAGE'],
  ['unix:///absent/socket', 'INPUT_ABSENT'],
] as const) {
  test(`--store ${store} is ${code}`, () => {
    assert.throws(() => openStore(store, {}), { code });
  });
}

test('a folder that cannot be made into a store is LOCAL_IO', () => {
  writeFileSync(join(folder, 'file'), '');
  assert.throws(() => openStore(join(folder, 'file'), {}), { code: 'LOCAL_IO' });
});

test('a name and a place on disk are the same store path', () => {
  const store = { kind: 'chroot', root: '/data/root' } as const;
  assert.equal(storePathOf(store, PATH), PATH);
  assert.equal(storePathOf(store, `/data/root${PATH}`), PATH);
  for (const wrong of [`/other${PATH}`, `${PATH}/bin`, `/data/root${PATH}/bin`, '/nix/store', 'name', `${PATH}\nx`]) {
    assert.throws(() => storePathOf(store, wrong), { code: 'INPUT_MALFORMED' });
  }
});

const FAILED = [
  `error: builder for '${PATH}.drv' failed with exit code 1;`,
  `error: Cannot build '${PATH}.drv'.\n       Reason: builder failed with exit code 1.`,
  `error: hash mismatch in fixed-output derivation '${PATH}.drv':`,
];
for (const text of FAILED) {
  test(`the failed derivation is found in ${JSON.stringify(text.slice(0, 30))}…`, () => {
    assert.equal(failedDerivation(text), `${PATH}.drv`);
  });
}

test("Nix's message begins at its error, and has no control characters", () => {
  assert.equal(nixMessage('warning: a\nsome log\nerror: b\n  c\n'), 'error: b\n  c');
  assert.equal(printable('\u001B[31mred\u001B[0m\u0000\u0007\tx\r\ny'), 'red\tx\ny');
});

test('paths that Nix missed are found, those of the store are not', () => {
  assert.deepEqual(missingPaths("error: getting status of '/home/a b/x.nix': No such file or directory"), [
    '/home/a b/x.nix',
  ]);
  assert.deepEqual(missingPaths("error: path '/srv/x' does not exist"), ['/srv/x']);
  assert.deepEqual(missingPaths(`error: path '${PATH}' does not exist`), []);
  assert.deepEqual(missingPaths("error: syntax error at '/srv/x'"), []);
});

const skip = skipNix || (isRoot ? false : 'only root may put a program into /nix here');
test('a Nix that is started from /nix keeps it, and works on a store in a folder', { skip }, async () => {
  const lab = makeLab();
  const place = join('/nix', `oci-plone-test-${process.pid}`);
  try {
    mkdirSync(place);
    copyFileSync(which('nix-store') ?? '', join(place, 'nix'));
    for (const name of ['nix-store', 'nix-instantiate']) symlinkSync('nix', join(place, name));
    const env = { ...lab.env, PATH: `${place}:${lab.env['PATH']}` };
    const nix = 'run "moved" "echo LS $($b ls /); $b touch $out"';
    const { storePath } = await lab.build(nix, { env });
    assert.match(told(lab), /^LS build dev etc nix proc tmp$/m);
    const { paths } = await lab.withNix({ env }, (session) => session.closure(storePath));
    assert.deepEqual(
      paths.map(({ onDisk }) => onDisk),
      [join(lab.store, storePath)],
    );
    // The same store as with a Nix from elsewhere.
    assert.equal((await lab.build(nix)).storePath, storePath);
  } finally {
    rmSync(place, { recursive: true, force: true });
    await lab.remove();
  }
});
