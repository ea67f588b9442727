/**
 * Python's idea of white space (`str.isspace`, `\s`, `str.strip`). JavaScript's differs: it counts U+FEFF, and neither
 * U+001C–U+001F nor U+0085. A file with one of these would be cut in other places.
 */
export const SPACE = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

const ONE_SPACE = new RegExp(`^[${SPACE}]$`);

/** Whether a text begins with white space; an empty one, being a blank line, does not. */
export function startsWithSpace(text: string): boolean {
  return ONE_SPACE.test(text.charAt(0));
}

// Loops, as /\s+$/ takes quadratic time on long runs of spaces.

/** `str.lstrip()`. */
function stripStart(text: string): string {
  let start = 0;
  while (start < text.length && ONE_SPACE.test(text.charAt(start))) start += 1;
  return text.slice(start);
}

/** `str.rstrip()`. */
export function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && ONE_SPACE.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** `str.strip()`. */
export function strip(text: string): string {
  return stripStart(stripEnd(text));
}

/** `str.split()`: the words of a text. */
export function words(text: string): readonly string[] {
  return text.split(new RegExp(`[${SPACE}]+`)).filter((word) => word !== '');
}

/** `textwrap.dedent`: takes away the margin of blanks and tabs that all lines have in common; blank lines count nothing. */
export function dedent(text: string): string {
  const lines = text.split('\n').map((line) => (/^[ \t]+$/.test(line) ? '' : line));
  let margin: string | null = null;
  for (const line of lines) {
    if (line === '') continue;
    const indent = /^[ \t]*/.exec(line)?.[0] ?? '';
    margin = margin === null ? indent : commonStart(margin, indent);
  }
  const width = margin?.length ?? 0;
  return lines.map((line) => line.slice(width)).join('\n');
}

/** Drops blank lines at the start of a text, and keeps the indent of the first line that is not blank. */
export function dropLeadingBlankLines(text: string): string {
  const blanks = text.length - stripStart(text).length;
  return text.slice(text.lastIndexOf('\n', blanks - 1) + 1);
}

function commonStart(left: string, right: string): string {
  let length = 0;
  while (length < left.length && left.charAt(length) === right.charAt(length)) length += 1;
  return left.slice(0, length);
}
