import { OciPloneError } from '../errors.ts';

/** Operating system and processor in Go's names, as the image specification's image-index.md asks. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Only where the architecture has variants; amd64 has none. */
  readonly variant?: string;
}

/** What is packed where nothing says otherwise. Never the host's own platform: digests must not depend on the machine. */
export const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

const NIX_SYSTEMS: ReadonlyMap<string, Platform> = new Map([
  ['x86_64-linux', { os: 'linux', architecture: 'amd64' }],
  ['i686-linux', { os: 'linux', architecture: '386' }],
  ['aarch64-linux', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
  ['armv7l-linux', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['armv6l-linux', { os: 'linux', architecture: 'arm', variant: 'v6' }],
  ['riscv64-linux', { os: 'linux', architecture: 'riscv64' }],
  ['powerpc64le-linux', { os: 'linux', architecture: 'ppc64le' }],
  ['s390x-linux', { os: 'linux', architecture: 's390x' }],
]);

/** `e_machine`, class and byte order of an ELF header. */
const ELF_MACHINES: ReadonlyMap<string, Platform> = new Map([
  ['62 64 little', { os: 'linux', architecture: 'amd64' }],
  ['3 32 little', { os: 'linux', architecture: '386' }],
  ['183 64 little', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
  ['40 32 little', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['243 64 little', { os: 'linux', architecture: 'riscv64' }],
  ['21 64 little', { os: 'linux', architecture: 'ppc64le' }],
  ['22 64 big', { os: 'linux', architecture: 's390x' }],
]);

/** The platform of a derivation's `system`, or null where it has none in Go's names. */
export function platformOfNixSystem(system: string): Platform | null {
  return NIX_SYSTEMS.get(system) ?? null;
}

const ELF_CLASSES = ['none', '32', '64'];
const ELF_ORDERS = ['none', 'little', 'big'];

/** The platform that a program's first 20 bytes name, or null for a script or a machine without a name here. */
export function platformOfElf(head: Uint8Array): Platform | null {
  if (head.length < 20 || head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46) return null;
  const [, , , , bits, order] = head;
  const [first, second] = [head[18] ?? 0, head[19] ?? 0];
  const machine = order === 1 ? first + second * 256 : first * 256 + second;
  return ELF_MACHINES.get(`${machine} ${ELF_CLASSES[bits ?? 0]} ${ELF_ORDERS[order ?? 0]}`) ?? null;
}

/** Reads `os/architecture[/variant]`, as `--platform` takes it. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9.]+))?$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined)
    throw new OciPloneError('USAGE', `"platform" expected os/architecture[/variant], got ${JSON.stringify(text)}`, {
      hint: 'For example linux/amd64 or linux/arm64.',
    });
  const [, os, architecture, variant] = match;
  if (architecture === 'arm64' && variant === undefined) return { os, architecture, variant: 'v8' };
  return variant === undefined ? { os, architecture } : { os, architecture, variant };
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Whether a program of one platform is what the other one runs: the same system and processor, whatever the variant. */
export function samePlatform(one: Platform, other: Platform): boolean {
  return one.os === other.os && one.architecture === other.architecture;
}
