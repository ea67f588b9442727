import { deflateSync } from 'fflate';
import { getHeapSpaceStatistics } from 'node:v8';
import { crc32 } from 'node:zlib';

/** Bytes of the tar in a member; the last one may be shorter. */
export const BLOCK_BYTES: number = 1024 * 1024;

/** A block that can't be made smaller is stored, with a few bytes for each 10,000, a header and a trailer. */
export const MAX_MEMBER_BYTES: number = BLOCK_BYTES + 4096;

/** As small as umoci's output on a real closure; higher levels cost more than they save. */
const LEVEL = 4;

/** A table of 2^17 chains: 0.1 % larger than fflate's own choice of 2^20 for a mebibyte, a fifth faster, an eighth of the memory. */
const MEMORY = 5;

/** Names all that shapes the bytes of a member. */
export const MEMBER_ID: string = `gzip-fflate0.8-${LEVEL}-1MiB`;

/** Deflate without time, name or other fields, made on "Unix" (RFC 1952 section 2.3). */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

/**
 * Writes a block as one gzip member (RFC 1952), and returns the member's length. By fflate's synchronous function, since its
 * stream gives other bytes; header and trailer are written here, since a checksum is the same whoever reckons it, and node's
 * takes a tenth of the time off.
 */
export function writeMember(block: Uint8Array, member: Uint8Array): number {
  scavenge();
  const deflated = deflateSync(block, { level: LEVEL, mem: MEMORY });
  member.set(HEADER);
  member.set(deflated, HEADER.length);
  const end = HEADER.length + deflated.length;
  const trailer = new DataView(member.buffer, member.byteOffset + end, 8);
  trailer.setUint32(0, crc32(block), true);
  trailer.setUint32(4, block.length, true);
  return end + 8;
}

/** What `scavenge` made last; without a use of it the compiler would make nothing. */
let garbage: readonly undefined[] = [];

const GARBAGE_LENGTH = 100;
const GARBAGE_BYTES = 8 * GARBAGE_LENGTH + 32;

/**
 * fflate leaves two megabytes of dead buffers for each block, which are dead when the next one begins. V8 frees them when its young
 * generation is full, which these buffers do not fill, or when 64 MB of them have gathered, which is too much for each of
 * several threads. So it is filled: after each block where it is as small as in the threads that only encode, after a few where it
 * has grown.
 */
function scavenge(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
  const count = Math.max(1_200_000, young / 8) / GARBAGE_BYTES;
  // oxlint-disable-next-line unicorn/no-new-array -- its length is all that matters
  for (let made = 0; made < count; made++) garbage = new Array<undefined>(GARBAGE_LENGTH);
  return garbage.length;
}
