import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Link-local addresses (where clouds keep their metadata services) and "this host". */
const NEVER = new BlockList();
NEVER.addSubnet('0.0.0.0', 8, 'ipv4');
NEVER.addSubnet('169.254.0.0', 16, 'ipv4');
NEVER.addAddress('::', 'ipv6');
NEVER.addSubnet('fe80::', 10, 'ipv6');
NEVER.addAddress('fd00:ec2::254', 'ipv6');
const METADATA_NAMES: ReadonlySet<string> = new Set(['metadata.google.internal', 'instance-data']);

/** Whether a URL's host name is this machine: localhost and names below it, 127.0.0.0/8 and ::1. */
export function isLoopback(hostname: string): boolean {
  const name = bareHost(hostname);
  return name === 'localhost' || name.endsWith('.localhost') || isIn(LOOPBACK, name);
}

/** Whether a server at `from` has no business to lead to a host: this machine, or a cloud's metadata service. */
export function isForbidden(hostname: string, from: string): boolean {
  if (isLoopback(hostname)) return !isLoopback(from);
  const name = bareHost(hostname);
  return METADATA_NAMES.has(name) || isIn(NEVER, name);
}

function isIn(list: BlockList, name: string): boolean {
  const version = isIP(name);
  return version !== 0 && list.check(name, version === 6 ? 'ipv6' : 'ipv4');
}

/** A URL's host name as an address or a DNS name: without the brackets of IPv6 and the dot of a full name. */
function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}
