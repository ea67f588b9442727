const encoder = new TextEncoder();

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * The bytes of a document of our own making: keys sorted, no white space, UTF-8. Only for documents made here; a pulled
 * manifest or config is passed on byte for byte, since writing it again would change its digest.
 */
export function canonicalJson(value: Json): Uint8Array {
  return encoder.encode(JSON.stringify(sorted(value)));
}

function sorted(value: Json): Json {
  if (value === null || typeof value !== 'object') return value;
  if (isList(value)) return value.map(sorted);
  const entries = Object.entries(value).sort(byKey);
  return Object.fromEntries(entries.flatMap(([key, item]) => (item === undefined ? [] : [[key, sorted(item)]])));
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

/** By UTF-16 code units, which no locale changes. */
function byKey([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
