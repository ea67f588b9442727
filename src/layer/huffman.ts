/** Bits of the longest code that may stand for a literal, a length or a distance (RFC 1951 section 3.2.7). */
export const MAX_CODE_BITS = 15;

/**
 * The lengths of a Huffman code in which no symbol has more than `maxBits` bits; 0 for what does not occur. Two symbols get a
 * code even where fewer occur: some readers refuse a code of one. Ties go by the symbol's number, so that the same
 * frequencies give the same code everywhere.
 */
export function codeLengths(frequencies: Uint32Array, maxBits: number, lengths: Uint8Array): void {
  lengths.fill(0);
  const symbols = byFrequency(frequencies);
  const [first, second] = symbols;
  if (second === undefined) {
    const only = first ?? 0;
    lengths[only] = 1;
    lengths[only === 0 ? 1 : 0] = 1;
    return;
  }
  const counts = limited(depths(Float64Array.from(symbols, (symbol) => frequencies[symbol] ?? 0)), maxBits);
  let at = symbols.length;
  for (const [bits, count] of counts.entries())
    for (let left = count; left > 0; left--) lengths[symbols[--at] ?? 0] = bits;
}

/** Symbols that occur, the rarest first. */
function byFrequency(frequencies: Uint32Array): Uint16Array {
  const keys: number[] = [];
  for (const [symbol, frequency] of frequencies.entries()) if (frequency > 0) keys.push(frequency * 512 + symbol);
  return Uint16Array.from(Float64Array.from(keys).sort(), (key) => key % 512);
}

/**
 * The depth of every leaf of a Huffman tree, in place of its weight, which ascend (Moffat and Katajainen, "In-place
 * calculation of minimum-redundancy codes", 1995).
 */
function depths(weights: Float64Array): Float64Array {
  const [count, at] = [weights.length, (index: number): number => weights[index] ?? 0];
  let [root, leaf] = [0, 0];
  const lighter = (next: number): number => {
    if (leaf >= count || (root < next && at(root) < at(leaf))) {
      const weight = at(root);
      weights[root++] = next;
      return weight;
    }
    return at(leaf++);
  };
  // Inner nodes, which get their parent's number as soon as they have one.
  for (let next = 0; next < count - 1; next++) {
    const weight = lighter(next);
    weights[next] = weight + lighter(next);
  }
  weights[count - 2] = 0;
  for (let next = count - 3; next >= 0; next--) weights[next] = at(at(next)) + 1;
  // Leaves: what a level has room for beyond its inner nodes.
  let [room, inner, next] = [1, count - 2, count - 1];
  for (let depth = 0; room > 0; depth++) {
    let used = 0;
    for (; inner >= 0 && at(inner) === depth; inner--) used++;
    for (; room > used; room--) weights[next--] = depth;
    room = 2 * used;
  }
  return weights;
}

/** How many codes there are of each length, none of them longer than `maxBits`: the rarest ones share what is too deep. */
function limited(leafDepths: Float64Array, maxBits: number): Uint32Array {
  const counts = new Uint32Array(maxBits + 1);
  for (const depth of leafDepths) {
    const bits = Math.min(depth, maxBits);
    counts[bits] = (counts[bits] ?? 0) + 1;
  }
  // Kraft's sum, in units of the longest code: what is too much is taken back by making a short code one longer.
  let sum = 0;
  for (const [bits, count] of counts.entries()) sum += count * 2 ** (maxBits - bits);
  for (; sum > 2 ** maxBits; sum--) {
    counts[maxBits] = (counts[maxBits] ?? 0) - 1;
    let bits = maxBits - 1;
    while (counts[bits] === 0) bits--;
    counts[bits] = (counts[bits] ?? 0) - 1;
    counts[bits + 1] = (counts[bits + 1] ?? 0) + 2;
  }
  return counts;
}

/** The codes that follow from their lengths (RFC 1951 section 3.2.2), their first bit lowest, as they are written. */
export function canonicalCodes(lengths: Uint8Array, codes: Uint16Array): void {
  const next = new Uint32Array(MAX_CODE_BITS + 2);
  for (const bits of lengths) if (bits > 0) next[bits + 1] = (next[bits + 1] ?? 0) + 1;
  for (let bits = 1; bits < next.length; bits++) next[bits] = ((next[bits - 1] ?? 0) + (next[bits] ?? 0)) * 2;
  for (const [symbol, bits] of lengths.entries()) {
    if (bits === 0) continue;
    const code = next[bits] ?? 0;
    next[bits] = code + 1;
    codes[symbol] = reversed(code, bits);
  }
}

function reversed(code: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit++) result = (result << 1) | ((code >> bit) & 1);
  return result;
}
