import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OciPloneError } from '../../src/errors.ts';
import {
  DEFAULT_PLATFORM,
  formatPlatform,
  parsePlatform,
  platformOfElf,
  platformOfNixSystem,
  samePlatform,
} from '../../src/oci/platform.ts';

/** The first 20 bytes of an ELF file (System V ABI, "ELF Header"). */
function elf(machine: number, bits: 32 | 64, order: 'little' | 'big'): Uint8Array {
  const head = Buffer.alloc(20);
  head.write('\u007fELF', 'latin1');
  head[4] = bits / 32;
  head[5] = order === 'little' ? 1 : 2;
  if (order === 'little') head.writeUInt16LE(machine, 18);
  else head.writeUInt16BE(machine, 18);
  return head;
}

describe('platformOfElf', () => {
  it('knows the machines that Nix builds for', () => {
    const table = [
      [elf(62, 64, 'little'), 'linux/amd64'],
      [elf(3, 32, 'little'), 'linux/386'],
      [elf(183, 64, 'little'), 'linux/arm64/v8'],
      [elf(40, 32, 'little'), 'linux/arm/v7'],
      [elf(243, 64, 'little'), 'linux/riscv64'],
      [elf(21, 64, 'little'), 'linux/ppc64le'],
      [elf(22, 64, 'big'), 'linux/s390x'],
    ] as const;
    for (const [head, expected] of table) {
      const platform = platformOfElf(head);
      assert.equal(platform === null ? null : formatPlatform(platform), expected);
    }
  });

  it('is null for a script, a machine without a name, and half a header', () => {
    const head = elf(62, 64, 'little');
    for (const other of [
      Buffer.from('#!/bin/sh\nexec python "$@"\n'),
      new Uint8Array(),
      head.subarray(0, 19),
      elf(62, 64, 'big'),
      elf(62, 32, 'little'),
      elf(243, 32, 'little'),
      elf(22, 32, 'big'),
      elf(21, 64, 'big'),
      elf(0xffff, 64, 'little'),
      Buffer.alloc(20),
    ])
      assert.equal(platformOfElf(other), null);
    assert.deepEqual(platformOfElf(Buffer.concat([head, Buffer.alloc(100)])), DEFAULT_PLATFORM);
  });
});

describe('platforms', () => {
  it('are what a Nix system says', () => {
    const table = [
      ['x86_64-linux', 'linux/amd64'],
      ['i686-linux', 'linux/386'],
      ['aarch64-linux', 'linux/arm64/v8'],
      ['armv6l-linux', 'linux/arm/v6'],
      ['armv7l-linux', 'linux/arm/v7'],
    ] as const;
    for (const [system, expected] of table) {
      const platform = platformOfNixSystem(system);
      assert.equal(platform === null ? null : formatPlatform(platform), expected);
    }
    for (const system of ['x86_64-darwin', 'builtin', '', 'toString']) assert.equal(platformOfNixSystem(system), null);
  });

  it('are read as the command line has them', () => {
    const table = [
      ['linux/amd64', { os: 'linux', architecture: 'amd64' }],
      ['linux/arm64', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
      ['linux/arm64/v8', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
      ['linux/arm/v7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
    ] as const;
    for (const [text, expected] of table) assert.deepEqual(parsePlatform(text), expected);
    for (const text of [
      '',
      'linux',
      'linux/',
      '/amd64',
      'linux/amd64/',
      'Linux/amd64',
      'linux/arm/v7/x',
      ' linux/amd64',
      'linux/amd64\n',
    ])
      assert.throws(
        () => parsePlatform(text),
        (error) => error instanceof OciPloneError && error.code === 'USAGE',
        text,
      );
  });

  it('are the same whatever the variant', () => {
    assert.ok(samePlatform(parsePlatform('linux/arm/v6'), parsePlatform('linux/arm/v7')));
    assert.ok(!samePlatform(parsePlatform('linux/arm/v7'), parsePlatform('linux/arm64')));
    assert.ok(!samePlatform(parsePlatform('linux/amd64'), parsePlatform('freebsd/amd64')));
  });
});
