import { crc32 } from 'node:zlib';
import { FFLATE_ID, deflateByFflate } from './deflate-fflate.ts';
import { LIBDEFLATE_ID, deflateByLibdeflate } from './deflate-libdeflate.ts';

/** Bytes of the tar in a member; the last one may be shorter. */
export const BLOCK_BYTES: number = 1024 * 1024;

/** A block that can't be made smaller is stored, with a few bytes for each 10,000, a header and a trailer. */
export const MAX_MEMBER_BYTES: number = BLOCK_BYTES + 4096;

/** Those whose bytes are the same on every processor and Node version. */
export type PortableDeflater = 'libdeflate' | 'fflate';

const DEFLATERS: Readonly<Record<PortableDeflater, (block: Uint8Array) => Uint8Array>> = {
  libdeflate: deflateByLibdeflate,
  fflate: deflateByFflate,
};

const IDS: Readonly<Record<PortableDeflater, string>> = { libdeflate: LIBDEFLATE_ID, fflate: FFLATE_ID };

/** Names all that shapes the bytes of a member. */
export function memberId(deflater: PortableDeflater): string {
  return `gzip-${IDS[deflater]}-1MiB`;
}

/** Deflate without time, name or other fields, made on "Unix" (RFC 1952 section 2.3). */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);

/**
 * Writes a block as one gzip member (RFC 1952), and returns the member's length. Header and trailer are written here, since a
 * checksum is the same whoever reckons it, and node's takes a tenth of the time off.
 */
export function writeMember(block: Uint8Array, member: Uint8Array, deflater: PortableDeflater): number {
  const deflated = DEFLATERS[deflater](block);
  member.set(HEADER);
  member.set(deflated, HEADER.length);
  const end = HEADER.length + deflated.length;
  const trailer = new DataView(member.buffer, member.byteOffset + end, 8);
  trailer.setUint32(0, crc32(block), true);
  trailer.setUint32(4, block.length, true);
  return end + 8;
}
