import { OciPloneError } from '../../errors.ts';

/*
 * The only place where foreign text becomes Nix: what these functions return evaluates to the text they were given, and to
 * nothing else. See Nix's lexer (src/libexpr/lexer.l) for each rule.
 */

const KEYWORDS: ReadonlySet<string> = new Set('assert else if in inherit let or rec then with'.split(' '));

/**
 * A string in double quotes. Throws INPUT_REFUSED for what Nix's strings cannot hold: NUL, and halves of surrogate pairs.
 */
export function nixString(text: string): string {
  const escaped = checked(text)
    .replace(/["\\]|\$(?=\{)/g, '\\$&')
    .replace(/\n/g, '\\n')
    // Nix makes a line's end of each of them.
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
  return `"${escaped}"`;
}

/**
 * A string in pairs of single quotes over several lines, for text that people read: it evaluates to the text, and a line's
 * end where the text lacks its last one. All of its lines may be moved to the right together. Throws as `nixString` does.
 */
export function indentedString(text: string): string {
  const lines = checked(text).replace(/\n$/, '').split('\n');
  // Nix takes off the indentation that all lines share, those of nothing but spaces aside. Where no line begins at the edge,
  // an escaped space shows where it is.
  const anchor = lines.some((line) => /^[^ ]/.test(line)) ? -1 : lines.findIndex((line) => line !== '');
  const body = lines.map((line, index) => {
    if (line === '') return '';
    return index === anchor ? `  ''\\ ${escapeIndented(line.slice(1))}` : `  ${escapeIndented(line)}`;
  });
  return `''\n${body.join('\n')}\n''`;
}

/** One quote before a quote, a dollar or the end would be read together with it. */
function escapeIndented(line: string): string {
  return line.replace(/''|'(?=['$\r]|$)|\$(?=\{)|\r/g, (found) => {
    if (found === "''") return "'''";
    if (found === "'") return "''\\'";
    return found === '\r' ? "''\\r" : "''$";
  });
}

/** A name in a set, quoted where it is no identifier. Throws as `nixString` does. */
export function attributeName(name: string): string {
  return /^[a-zA-Z_][a-zA-Z0-9_'-]*$/.test(name) && !KEYWORDS.has(name) ? name : nixString(name);
}

/**
 * The names of an attribute path such as `pythonPackages."setuptools-git"`. Throws INPUT_MALFORMED for everything else that
 * Nix would take in its place: a path is data, an expression is a program.
 */
export function splitAttributePath(path: string): readonly string[] {
  const part = /([a-zA-Z_][a-zA-Z0-9_'-]*|"[^"\\$\p{Cc}]+")(?:\.(?=.)|$)/uy;
  const names: string[] = [];
  while (part.lastIndex < path.length || names.length === 0) {
    const [, name] = part.exec(path) ?? [];
    if (name === undefined) {
      throw new OciPloneError('INPUT_MALFORMED', `${JSON.stringify(path)} is not the name of something in nixpkgs`, {
        hint: 'Names are joined by dots, such as libxml2 or python3Packages.pillow.',
      });
    }
    names.push(name.replaceAll('"', ''));
  }
  return names;
}

/** A comment of one line: nothing in it can end it. */
export function comment(text: string): string {
  return `# ${text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}]+/gu, ' ').trim()}`;
}

/** A base name for the store: Nix takes letters, digits and `+-._?=`, no dot at the front, and 211 characters. */
export function storeName(name: string): string {
  const legal = name.replace(/[^a-zA-Z0-9+\-._?=]/g, '_').replace(/^\./, '_');
  // Python's prefix and an output's name have to fit, too; a file's ending says what it is.
  return legal.length <= 180 ? legal || '_' : `${legal.slice(0, 150)}${legal.slice(-30)}`;
}

function checked(text: string): string {
  const bad = /[\0\p{Surrogate}]/u.exec(text);
  if (bad === null) return text;
  throw new OciPloneError('INPUT_REFUSED', `Nix's strings cannot hold a character of ${JSON.stringify(text)}`, {
    hint: `Take out ${JSON.stringify(bad[0])}.`,
  });
}
