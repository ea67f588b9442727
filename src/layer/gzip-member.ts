import { gzipSync } from 'fflate';

/** As small as umoci's output on a real closure; higher levels cost more than they save. */
const LEVEL = 4;

/** fflate's own choice for a mebibyte, spelled out since it shapes the bytes. */
const MEMORY = 8;

export const MEMBER_ID: string = `gzip-fflate0.8-${LEVEL}-1MiB`;

/**
 * One gzip member (RFC 1952) of a block, with the same bytes on every processor and Node version: plain arithmetic, pinned
 * to one version in package.json. The synchronous function, since fflate's stream gives other bytes; mtime 0, since its
 * default is now.
 */
export function gzipMember(block: Uint8Array): Uint8Array<ArrayBuffer> {
  return gzipSync(block, { level: LEVEL, mem: MEMORY, mtime: 0 });
}
