import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { localError } from '../errors.ts';
import { CERTIFICATES, USER_NAME } from './environment.ts';
import type { BuilderIds } from './user-map.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The user and group id that Nix sees as its own. */
export const SANDBOX_ID = 1000;

/** Where distributions keep the certificates of the authorities. */
const BUNDLES = [
  CERTIFICATES,
  '/etc/ssl/certs/ca-bundle.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** The file with the certificates that Nix is to trust, or null where this machine has none. */
export function findCertificates(env: Env): string | null {
  for (const file of [env['NIX_SSL_CERT_FILE'], env['SSL_CERT_FILE'], ...BUNDLES]) {
    if (file && readOr(file, '') !== '') return file;
  }
  return null;
}

/**
 * Makes what stands at /etc in the sandbox. Nothing of the machine's own is shown; what Nix needs of it is copied.
 * Throws LOCAL_IO.
 */
export function makeEtc(
  folder: string,
  contents: {
    readonly nixConf: string;
    readonly certificates: string | null;
    readonly machineFolder: string;
    readonly builders: BuilderIds;
    /** Files that are put over empty ones. */
    readonly placeholders: readonly string[];
  },
): void {
  const { builders, certificates } = contents;
  const users = Array.from({ length: builders.count }, (_, index) => `nixbld${index + 1}`);
  const files: Record<string, string> = {
    passwd: lines([
      `root:x:0:0::/root:/bin/sh`,
      `${USER_NAME}:x:${SANDBOX_ID}:${SANDBOX_ID}::/homeless:/bin/sh`,
      ...users.map((name, index) => `${name}:x:${builders.firstUser + index}:${builders.group}::/var/empty:/bin/false`),
    ]),
    group: lines([`root:x:0:`, `${USER_NAME}:x:${SANDBOX_ID}:`, `nixbld:x:${builders.group}:${users.join(',')}`]),
    hosts: readOr('/etc/hosts', '127.0.0.1 localhost\n::1 localhost\n'),
    'resolv.conf': readOr('/etc/resolv.conf', ''),
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    'nix/nix.conf': contents.nixConf,
    'nix/machines': readOr(join(contents.machineFolder, 'machines'), ''),
    ...Object.fromEntries(contents.placeholders.map((path) => [path.replace(/^\/etc\//, ''), ''])),
  };
  if (certificates !== null) files[CERTIFICATES.slice('/etc/'.length)] = readOr(certificates, '');
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    if (certificates !== null) {
      symlinkSync('ca-certificates.crt', join(folder, 'ssl/certs/ca-bundle.crt'));
      mkdirSync(join(folder, 'pki/tls/certs'), { recursive: true });
      symlinkSync(CERTIFICATES, join(folder, 'pki/tls/certs/ca-bundle.crt'));
    }
  } catch (error) {
    throw localError(`writing ${folder}`, error);
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
