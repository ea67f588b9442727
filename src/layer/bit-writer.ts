/** Writes bits into bytes, the first ones lowest (RFC 1951 section 3.1.1). */
export class BitWriter {
  readonly bytes: Uint8Array;
  /** Whole bytes that were written. */
  length: number;
  /** Fewer than 16 bits that are not written yet. */
  bits = 0;
  bitCount = 0;

  constructor(bytes: Uint8Array, length: number) {
    this.bytes = bytes;
    this.length = length;
  }

  /** At most 16 bits at a time. */
  put(value: number, count: number): void {
    this.bits |= value << this.bitCount;
    this.bitCount += count;
    if (this.bitCount < 16) return;
    this.bytes[this.length++] = this.bits;
    this.bytes[this.length++] = this.bits >>> 8;
    this.bits >>>= 16;
    this.bitCount -= 16;
  }

  /** Fills the byte that was begun up with zeros. */
  align(): void {
    for (; this.bitCount > 0; this.bitCount -= 8) {
      this.bytes[this.length++] = this.bits;
      this.bits >>>= 8;
    }
    this.bitCount = 0;
    this.bits = 0;
  }

  /** Whole bytes, after `align`. */
  append(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
}
