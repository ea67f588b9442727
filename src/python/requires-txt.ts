/**
 * The requirements of an egg's `requires.txt` as lines of PEP 508. A section is `[extra]`, `[:marker]` or `[extra:marker]`.
 * Extras come with it, canonical or not, as they were written.
 */
export function parseRequiresTxt(text: string): {
  readonly requires: readonly string[];
  readonly extras: readonly string[];
} {
  const requires: string[] = [];
  const extras = new Set<string>();
  let condition = '';
  for (const line of text.split(/\r\n|\r|\n/).map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const [, extra, marker] = /^\[([^:\]]*)(?::(.*))?\]$/.exec(line) ?? [];
    if (extra !== undefined) {
      const name = extra.trim();
      if (name !== '') extras.add(name);
      const parts = [marker === undefined ? '' : `(${marker})`, name === '' ? '' : `extra == "${name}"`];
      condition = parts.filter((part) => part !== '').join(' and ');
    } else requires.push(condition === '' ? line : joinMarker(line, condition));
  }
  return { requires, extras: [...extras] };
}

function joinMarker(line: string, condition: string): string {
  const [, requirement = line, own] = /^(.*?)\s*;\s*(.*)$/.exec(line) ?? [];
  return own === undefined ? `${requirement} ; ${condition}` : `${requirement} ; (${own}) and ${condition}`;
}
