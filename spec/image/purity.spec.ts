import assert from 'node:assert/strict';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type PackOptions, pack } from '../../src/index.ts';
import { type CliOptions, runCli } from '../support/cli.ts';
import { missing } from '../support/fixtures.ts';
import {
  APP_PATH,
  ELF_MACHINE,
  type Entry,
  type Folder,
  appEntries,
  documentsOf,
  elfHead,
  labFolder,
  tarOf,
  writeApp,
} from '../support/packed.ts';
import { otherNode } from './other-node.ts';

const OTHERS = [20, 22, 24];
const nodes = await Promise.all(OTHERS.map(otherNode));

/** Two MiB of numbers, so that there is more than one block to share among processors; and names that locales sort. */
const ENTRIES: readonly Entry[] = [
  ...appEntries(elfHead(ELF_MACHINE.amd64)),
  ...['a', 'B', 'i', 'I', 'ı', 'ü', 'z', 'Z'].map((name) => ({ name: `srv/${name}`, content: name })),
  {
    name: `${APP_PATH.slice(1)}/numbers`,
    content: Array.from({ length: 400_000 }, (_, n) => (n * n) % 9973).join('\n'),
  },
];

describe('the digest', () => {
  let lab: Folder;
  let input: string;
  let expected: string;
  before(async () => {
    lab = await labFolder();
    input = join(lab.folder, 'app.nix.tar');
    await writeFile(input, await tarOf(ENTRIES));
    expected = await digestOf([input, '-o', join(lab.folder, 'expected.oci')]);
    assert.match(expected, /^sha256:[0-9a-f]{64}\n$/);
  });
  after(() => lab.remove());

  const circumstances: Readonly<Record<string, CliOptions>> = {
    'in another folder': { cwd: '/' },
    'with umask 077': umask('077'),
    'with umask 000': umask('000'),
    'in another time zone': { env: { TZ: 'Pacific/Kiritimati' } },
    'in another locale': { env: { LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' } },
    'with another home and temporary folder': { env: { HOME: '/nonexistent', TMPDIR: '/var/tmp' } },
    'with another SOURCE_DATE_EPOCH that is its default': { env: { SOURCE_DATE_EPOCH: '0' } },
  };
  for (const [name, options] of Object.entries(circumstances))
    it(`is the same ${name}`, async () => {
      assert.equal(await digestOf([input, '-o', join(lab.folder, 'same.oci')], options), expected);
    });

  for (const processors of ['0', '0,1'])
    it(`is the same on the processors ${processors}`, { skip: missing('taskset') }, async () => {
      const through = ['taskset', '-c', processors];
      assert.equal(await digestOf([input, '-o', join(lab.folder, 'same.oci')], { through }), expected);
    });

  for (const [index, { path, skip }] of nodes.entries())
    it(`is the same on Node ${OTHERS[index]}`, { skip }, async () => {
      assert.equal(await digestOf([input, '-o', join(lab.folder, 'same.oci')], { node: path }), expected);
    });

  it('is the same under other names of input, output and reference', async () => {
    await mkdir(join(lab.folder, 'elsewhere'));
    const other = join(lab.folder, 'elsewhere', 'Äpp.tar');
    await rename(input, other);
    try {
      assert.equal(await digestOf([other, '-o', join(lab.folder, 'elsewhere', 'x'), '-t', 'v1']), expected);
      assert.equal(await digestOf([other, '-o', join(lab.folder, 'elsewhere', 'x.tar'), '-t', 'v2']), expected);
      assert.equal(await digestOf(['-', '-o', join(lab.folder, 'y')], { stdin: other }), expected);
    } finally {
      await rename(other, input);
    }
  });

  it('is the same from entries in another order, of other owners and times', async () => {
    const shuffled = join(lab.folder, 'shuffled.tar');
    const links = ENTRIES.filter(({ type }) => type !== 'directory').toReversed();
    await writeFile(shuffled, await tarOf([...ENTRIES.filter(({ type }) => type === 'directory'), ...links]));
    assert.equal(await digestOf([shuffled, '-o', join(lab.folder, 'same.oci')]), expected);
  });

  it('changes with SOURCE_DATE_EPOCH, and no layer does', async () => {
    const output = join(lab.folder, 'later.oci');
    const { digest, layers } = await pack({ input, output, env: { SOURCE_DATE_EPOCH: '1700000000' } });
    assert.notEqual(`${digest}\n`, expected);
    const own = documentsOf(join(lab.folder, 'expected.oci'));
    assert.deepEqual(
      layers.map((layer) => layer.digest),
      own.manifest.layers.map((layer) => layer.digest),
    );
    assert.equal(own.config.created, '1970-01-01T00:00:00Z');
    assert.equal(documentsOf(output).config.created, '2023-11-14T22:13:20Z');
  });

  it('changes with what shapes the image', async () => {
    const small = await writeApp(join(lab.folder, 'small.nix.tar'));
    const shapes: readonly Partial<PackOptions>[] = [
      {},
      { cmd: ['x'] },
      { without: ['tmp'] },
      { labels: { a: 'b' } },
      { annotations: { a: 'b' } },
      { user: '1' },
      { ports: ['1'] },
    ];
    const output = join(lab.folder, 'other.oci');
    const results = await Promise.all(shapes.map((shape) => pack({ input: small, output, env: {}, ...shape })));
    assert.equal(new Set(results.map(({ digest }) => digest)).size, shapes.length);
  });

  it('comes with no name of input, output, reference or command line in any document', async () => {
    const output = join(lab.folder, 'unmistakable-output.oci');
    const named = join(lab.folder, 'unmistakable-input.nix.tar');
    await writeFile(named, await tarOf(ENTRIES));
    await pack({ input: named, output, tag: 'unmistakable-tag', env: {} });
    const { manifest, config } = documentsOf(output, 'unmistakable-tag');
    assert.doesNotMatch(JSON.stringify([manifest, config]), /unmistakable/);
  });
});

async function digestOf(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await runCli(['pack', ...args], options);
  assert.equal(code, 0, stderr);
  return stdout;
}

function umask(mask: string): CliOptions {
  return { through: ['sh', '-c', `umask ${mask}; exec "$@"`, 'sh'] };
}
