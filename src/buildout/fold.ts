import { parse } from 'ini';

/**
 * Writes sections in the one form of the INI format that the package `ini` reads without a change: each option on one line,
 * name and value as JSON strings with a prefix, so that nothing is a comment, an array, a number, `true` or `__proto__`.
 */
export function fold(sections: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  const lines: string[] = [];
  for (const [name, options] of sections) {
    lines.push(`[s:${escapedName(name)}]`);
    for (const [key, value] of options) lines.push(`${json(`k:${key}`)} = ${json(`v:${value}`)}`);
  }
  return lines.join('\n');
}

/** Reads what `fold` wrote, and cuts the prefixes. `order` lists the sections, as `ini` moves those with a dot to the end. */
export function unfold(text: string, order: Iterable<string>): Map<string, Map<string, string>> {
  const parsed = parse(text);
  const sections = new Map<string, Map<string, string>>();
  for (const name of order) {
    const found = parsed[`s:${name}`];
    const options = new Map<string, string>();
    for (const [key, value] of Object.entries(typeof found === 'object' && found !== null ? found : {})) {
      options.set(key.slice(2), String(value).slice(2));
    }
    sections.set(name, options);
  }
  return sections;
}

/** A dot would nest; a backslash escapes `\`, `;` and `#` (the latter two cannot stand in a section's name). */
function escapedName(name: string): string {
  return name.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
}

/** JSON on one line: `ini` matches with `.`, which stops at the two separators that JSON leaves as they are. */
function json(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
