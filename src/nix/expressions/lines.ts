/** Lines one step further in; empty ones stay empty. */
export function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

/** An attribute that is a list, one entry a line unless there is but one; nothing where there is none. */
export function listAttribute(name: string, entries: readonly string[]): readonly string[] {
  if (entries.length === 0) return [];
  return entries.length === 1 ? [`${name} = [ ${entries[0]} ];`] : [`${name} = [`, ...indent(entries), '];'];
}

/** A text by code units, as Nix sorts the names of a set. */
export function byName(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
