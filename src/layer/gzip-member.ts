import { gzipSync } from 'fflate';

/** Bytes of the tar in a member; the last one may be shorter. */
export const BLOCK_BYTES: number = 1024 * 1024;

/** As small as umoci's output on a real closure; higher levels cost more than they save. */
const LEVEL = 4;

/** A table of 2^17 chains: 0.1 % larger than fflate's own choice of 2^20 for a mebibyte, a fifth faster, an eighth of the memory. */
const MEMORY = 5;

export const MEMBER_ID: string = `gzip-fflate0.8-${LEVEL}-1MiB`;

/** A block that can't be made smaller is stored, with five bytes for each 64 KiB, a header and a trailer. */
export const MAX_MEMBER_BYTES: number = BLOCK_BYTES + 1024;

/**
 * One gzip member (RFC 1952) of a block, with the same bytes on every processor and Node version: plain arithmetic, pinned
 * to one version in package.json. The synchronous function, since fflate's stream gives other bytes; mtime 0, since its
 * default is now.
 */
export function gzipMember(block: Uint8Array): Uint8Array<ArrayBuffer> {
  return gzipSync(block, { level: LEVEL, mem: MEMORY, mtime: 0 });
}
