export type ArchiveFormat = 'gzip' | 'zstd' | 'tar';

/** As many of a file's first bytes as `archiveFormat` wants: a tar's first header. */
export const FORMAT_BYTES = 512;

/** What an archive's first bytes say it is (RFC 1952 section 2.3.1, RFC 8878 section 3.1.1, POSIX ustar), or null. */
export function archiveFormat(head: Uint8Array): ArchiveFormat | null {
  if (startsWith(head, [0x1f, 0x8b])) return 'gzip';
  if (isZstdFrame(head)) return 'zstd';
  return isTarHeader(head) ? 'tar' : null;
}

/** A frame of data, or one that is to be passed over, with which pzstd begins (RFC 8878 sections 3.1.1 and 3.1.2). */
function isZstdFrame(head: Uint8Array): boolean {
  const second = [0x2a, 0x4d, 0x18];
  return (
    startsWith(head, [0x28, 0xb5, 0x2f, 0xfd]) ||
    (((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head.subarray(1), second))
  );
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => head[index] === byte);
}

/** A tar has no magic at its start: its first header has to carry its own checksum; an empty one is all zeros. */
function isTarHeader(head: Uint8Array): boolean {
  if (head.length < FORMAT_BYTES) return false;
  const header = head.subarray(0, FORMAT_BYTES);
  if (header.every((byte) => byte === 0)) return true;
  const field = Buffer.from(header.subarray(148, 156)).toString('latin1');
  const stated = Number.parseInt(field.replace(/[\0 ]+$/, '').trim(), 8);
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return stated === sum;
}
