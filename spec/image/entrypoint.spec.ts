import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OciPloneError, type PackOptions, type ProgressEvent, pack } from '../../src/index.ts';
import { cleanEnvironment } from '../support/cli.ts';
import { hasCode } from '../support/codes.ts';
import { fixture, missing, nixpkgsFixture } from '../support/fixtures.ts';
import {
  APP_PATH,
  ELF_MACHINE,
  type Entry,
  type Folder,
  documentsOf,
  elfHead,
  labFolder,
  writeApp,
} from '../support/packed.ts';

const nix = await nixpkgsFixture();

interface Case {
  readonly program?: string | Uint8Array;
  readonly more?: readonly Entry[];
  readonly options?: Partial<PackOptions>;
}

let lab: Folder;
before(async () => {
  lab = await labFolder();
});
after(() => lab.remove());

async function packed({ program = '#!/bin/sh\n', more = [], options = {} }: Case): Promise<{
  platform: unknown;
  described: unknown;
  notes: readonly ProgressEvent[];
}> {
  const input = await writeApp(join(lab.folder, 'app.nix.tar'), { program, more });
  const output = join(lab.folder, 'app.oci');
  const notes: ProgressEvent[] = [];
  const onProgress = (event: ProgressEvent): void => void (event.kind === 'note' ? notes.push(event) : null);
  await pack({ input, output, env: {}, onProgress, ...options });
  const { descriptor, config } = documentsOf(output);
  const { os, architecture, variant } = config;
  const platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
  return { platform, described: descriptor.platform, notes };
}

describe('the entrypoint', () => {
  const there: readonly (readonly [string, Case])[] = [
    ['through /app, a link', {}],
    ['a name that is looked for in PATH', { options: { entrypoint: ['python'] } }],
    [
      'through a chain of links, absolute and relative',
      {
        more: [
          { name: 'usr/bin/start', type: 'symlink', linkname: '../lib/start' },
          { name: 'usr/lib', type: 'symlink', linkname: '/opt/../opt/lib' },
          { name: 'opt/lib/start', type: 'symlink', linkname: '/app/bin/python' },
        ],
        options: { entrypoint: ['/usr/bin/start'] },
      },
    ],
    [
      'through a link that climbs above the root, which stays the root',
      {
        more: [{ name: 'start', type: 'symlink', linkname: '../../app/bin/python' }],
        options: { entrypoint: ['/start'] },
      },
    ],
    ['none at all', { options: { entrypoint: [] } }],
  ];
  for (const [name, value] of there)
    it(`is found: ${name}`, async () => {
      await assert.doesNotReject(packed(value));
    });

  const absent: readonly (readonly [string, Case, string])[] = [
    ['a program that is not there', { options: { entrypoint: ['/app/bin/ruby'] } }, '/app/bin/ruby'],
    ['a name that PATH does not hold', { options: { entrypoint: ['ruby'] } }, 'ruby'],
    ['a file without the mode', { options: { entrypoint: ['/app/share.txt'] } }, '/app/share.txt'],
    ['a folder', { options: { entrypoint: ['/app/bin'] } }, '/app/bin'],
    [
      'a link to nothing',
      { more: [{ name: 'start', type: 'symlink', linkname: '/nowhere' }], options: { entrypoint: ['/start'] } },
      '/start',
    ],
    [
      'a loop',
      { more: [{ name: 'start', type: 'symlink', linkname: 'start' }], options: { entrypoint: ['/start'] } },
      '/start',
    ],
    [
      'only on this machine',
      { more: [{ name: 'start', type: 'symlink', linkname: process.execPath }], options: { entrypoint: ['/start'] } },
      '/start',
    ],
  ];
  for (const [name, value, named] of absent)
    it(`is refused and named: ${name}`, async () => {
      await assert.rejects(packed(value), (error) => {
        assert.ok(error instanceof OciPloneError);
        assert.equal(error.code, 'INPUT_MALFORMED');
        assert.equal(error.exitCode, 3);
        assert.ok(error.message.includes(named), error.message);
        return true;
      });
    });

  it('is looked for where the image’s own PATH says', async () => {
    const more: Entry[] = [{ name: 'opt/bin/serve', mode: 0o755, content: '#!/bin/sh\n' }];
    const environment = ['PATH=/nowhere:/opt/bin'];
    await assert.doesNotReject(packed({ more, options: { entrypoint: ['serve'], environment } }));
    await assert.rejects(packed({ options: { entrypoint: ['python'], environment } }), hasCode('INPUT_MALFORMED'));
  });

  it('is looked for where runtimes do, without a PATH', async () => {
    const without = ['path'] as const;
    const more: Entry[] = [{ name: 'usr/bin/serve', mode: 0o755, content: '#!/bin/sh\n' }];
    await assert.doesNotReject(packed({ more, options: { entrypoint: ['serve'], without } }));
    await assert.rejects(packed({ options: { entrypoint: ['python'], without } }), hasCode('INPUT_MALFORMED'));
  });

  it('is looked for from the folder it starts in, where it is a relative path', async () => {
    const entrypoint = ['bin/python'];
    await assert.doesNotReject(packed({ options: { entrypoint, workdir: '/app' } }));
    await assert.rejects(packed({ options: { entrypoint } }), hasCode('INPUT_MALFORMED'));
  });

  it('may be below a tarball’s own /app', async () => {
    const input = await writeApp(join(lab.folder, 'own.nix.tar'), {
      more: [{ name: 'app', type: 'symlink', linkname: `${APP_PATH}/bin` }],
    });
    const options = { input, output: join(lab.folder, 'own.oci'), env: {} };
    await assert.rejects(pack(options), hasCode('INPUT_MALFORMED'));
    await assert.doesNotReject(pack({ ...options, entrypoint: ['/app/python'] }));
  });
});

describe('the platform', () => {
  const amd64 = { os: 'linux', architecture: 'amd64' };
  const arm64 = { os: 'linux', architecture: 'arm64', variant: 'v8' };
  const table: readonly (readonly [string, Case, object, number])[] = [
    ['an amd64 program', { program: elfHead(ELF_MACHINE.amd64) }, amd64, 0],
    ['an arm64 program', { program: elfHead(ELF_MACHINE.arm64) }, arm64, 0],
    ['a script', {}, amd64, 1],
    ['a machine without a name here', { program: elfHead(ELF_MACHINE.sparc) }, amd64, 1],
    ['a truncated header', { program: elfHead(ELF_MACHINE.arm64).subarray(0, 18) }, amd64, 1],
    ['no entrypoint', { options: { entrypoint: [] } }, amd64, 1],
    ['a script, as it was asked for', { options: { platform: 'linux/arm64' } }, arm64, 0],
    [
      'an unknown machine, as it was asked for',
      { program: elfHead(ELF_MACHINE.sparc), options: { platform: 'linux/riscv64' } },
      { os: 'linux', architecture: 'riscv64' },
      0,
    ],
    [
      'a program of the platform that was asked for',
      { program: elfHead(ELF_MACHINE.arm64), options: { platform: 'linux/arm64' } },
      arm64,
      0,
    ],
  ];
  for (const [name, value, expected, notes] of table)
    it(`of ${name}`, async () => {
      const result = await packed(value);
      assert.deepEqual(result.platform, expected);
      assert.deepEqual(result.described, expected);
      assert.equal(result.notes.length, notes);
    });

  it('is refused where a header names another known machine', async () => {
    const program = elfHead(ELF_MACHINE.arm64);
    await assert.rejects(packed({ program, options: { platform: 'linux/amd64' } }), hasCode('INPUT_MALFORMED'));
  });

  it('of a script is what the derivation’s system says', { skip: nix.skip || missing('bwrap') }, async () => {
    const input = fixture('expressions', 'tiny.nix');
    const { platform, notes } = await packed({ options: { input, env: cleanEnvironment() } });
    assert.deepEqual(platform, amd64);
    assert.deepEqual(notes, []);
  });
});
