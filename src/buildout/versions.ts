/**
 * The pins of a versions section, by PEP 503 name. Of several spellings the last key counts, which is not always the last
 * line: a key stays where it was written first. An empty value un-pins. `==1.0` is 1.0; values that begin with `<` or `>`
 * narrow a requirement and stay as they are.
 */
export function pinsOf(versions: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const pins = new Map<string, string>();
  for (const [name, value] of versions) pins.set(canonicalName(name), value);
  for (const [name, value] of pins) {
    if (value === '') pins.delete(name);
    else if (value.startsWith('==')) pins.set(name, value.slice(2));
  }
  return pins;
}

/** PEP 503. */
function canonicalName(name: string): string {
  return name.replaceAll(/[-_.]+/g, '-').toLowerCase();
}
