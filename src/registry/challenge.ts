/** One challenge of a WWW-Authenticate header (RFC 9110, 11.3). */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case; the first of two parameters with one name counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y;
const SPACES = /[ \t]*/y;
const SEPARATORS = /[ \t,]*/y;
const EQUALS = /[ \t]*=[ \t]*/y;

/**
 * Reads all challenges of all WWW-Authenticate lines, in their order. A comma separates both challenges and parameters:
 * a token that is not followed by `=` begins the next challenge. Reading a line stops where it is malformed; what was
 * read until there counts.
 */
export function parseChallenges(lines: readonly string[]): readonly Challenge[] {
  return lines.flatMap((line) => parseLine(new Scanner(line)));
}

function parseLine(scanner: Scanner): Challenge[] {
  const challenges: Challenge[] = [];
  for (;;) {
    scanner.take(SEPARATORS);
    const scheme = scanner.take(TOKEN);
    if (scheme === null) return challenges;
    scanner.take(SPACES);
    challenges.push({ scheme: scheme.toLowerCase(), parameters: parseParameters(scanner) });
  }
}

function parseParameters(scanner: Scanner): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (;;) {
    const start = scanner.position;
    scanner.take(SEPARATORS);
    const name = scanner.take(TOKEN);
    if (name === null || scanner.take(EQUALS) === null) {
      // Either the next challenge's scheme, or credentials of the form token68, which no scheme here has a use for.
      scanner.position = start;
      if (parameters.size === 0) skipToken68(scanner, start);
      return parameters;
    }
    const quoted = scanner.take(QUOTED);
    const value = quoted === null ? scanner.take(TOKEN) : quoted.slice(1, -1).replace(/\\([^])/g, '$1');
    if (value === null) {
      // `name==` is token68 with padding.
      scanner.position = start;
      if (parameters.size === 0 && skipToken68(scanner, start)) return parameters;
      scanner.end();
      return parameters;
    }
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, value);
  }
}

function skipToken68(scanner: Scanner, start: number): boolean {
  // Only what follows its scheme after spaces: after a comma it would be another scheme.
  return start > 0 && scanner.previousIsSpace() && scanner.take(TOKEN68) !== null;
}

class Scanner {
  position = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): string | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#text);
    if (found === null) return null;
    this.position = pattern.lastIndex;
    return found[0];
  }

  previousIsSpace(): boolean {
    return /[ \t]/.test(this.#text[this.position - 1] ?? '');
  }

  end(): void {
    this.position = this.#text.length;
  }
}
