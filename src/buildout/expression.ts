import { malformed, quoted } from './failure.ts';
import { compare, item, slice, truth } from './python-value.ts';
import type { Value } from './python-value.ts';

/** Looks a name up: `python3`, `sys.platform`, `platform.system()`. Undefined where there is none. */
export type Lookup = (name: string) => Value | undefined;

type Thunk = () => Value;

const TOKEN =
  /\s*(?:(\d+)|"((?:[^"\\])*)"|'((?:[^'\\])*)'|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\(\))?)|(==|!=|<=|>=|[<>()[\],:]))/y;

/**
 * Evaluates the expressions that buildout files have in their section headers: `and`, `or`, `not`, comparisons, texts,
 * numbers, tuples, indexes and the names of a white list. As in Python, what is not reached is not looked up.
 */
export function evaluate(text: string, lookup: Lookup): boolean {
  const parser = new Parser(tokenize(text), lookup);
  const value = parser.either();
  parser.end();
  return truth(value());
}

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'mark' | 'end';
  readonly text: string;
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const end = text.trimEnd().length;
  while (at < end) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw malformed(`${quoted(text.slice(at).trim())} is not understood`);
    at = TOKEN.lastIndex;
    const [, number, double, single, name, mark] = match;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark });
    else tokens.push({ kind: 'text', text: double ?? single ?? '' });
  }
  return tokens;
}

const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in', 'not', 'is']);

class Parser {
  readonly #tokens: readonly Token[];
  readonly #lookup: Lookup;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], lookup: Lookup) {
    this.#tokens = tokens;
    this.#lookup = lookup;
  }

  either(): Thunk {
    let left = this.#both();
    while (this.#takes('or')) {
      const [first, second] = [left, this.#both()];
      left = () => {
        const value = first();
        return truth(value) ? value : second();
      };
    }
    return left;
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw malformed(`${quoted(this.#peek().text)} is not understood`);
  }

  #both(): Thunk {
    let left = this.#negated();
    while (this.#takes('and')) {
      const [first, second] = [left, this.#negated()];
      left = () => {
        const value = first();
        return truth(value) ? second() : value;
      };
    }
    return left;
  }

  #negated(): Thunk {
    if (!this.#takes('not')) return this.#comparison();
    this.#deeper();
    const operand = this.#negated();
    return () => !truth(operand());
  }

  #comparison(): Thunk {
    const operands = [this.#operand()];
    const operators: string[] = [];
    while (this.#peek().kind !== 'text' && COMPARISONS.has(this.#peek().text)) {
      operators.push(this.#operator());
      operands.push(this.#operand());
    }
    const [only] = operands;
    if (operators.length === 0 && only !== undefined) return only;
    return () => {
      const values = operands.map((operand) => operand());
      return operators.every((operator, index) => compare(operator, values[index] ?? null, values[index + 1] ?? null));
    };
  }

  #operator(): string {
    const { text } = this.#next();
    if (text === 'not') {
      this.#expect('in');
      return 'not in';
    }
    if (text === 'is') throw malformed('"is" is not understood');
    return text;
  }

  #operand(): Thunk {
    let value = this.#atom();
    while (this.#takes('[')) {
      const [whole, from] = [value, this.#index()];
      if (this.#takes(':')) {
        const to = this.#index();
        value = () => slice(whole(), from ?? 0, to);
      } else {
        if (from === null) throw malformed('an index without a number');
        value = () => item(whole(), from);
      }
      this.#expect(']');
    }
    return value;
  }

  #index(): number | null {
    return this.#peek().kind === 'number' ? Number(this.#next().text) : null;
  }

  #atom(): Thunk {
    const token = this.#next();
    if (token.kind === 'number') return () => Number(token.text);
    if (token.kind === 'text') return () => token.text;
    if (token.kind === 'name') return this.#name(token.text);
    if (token.text === '(') return this.#group();
    throw malformed(token.kind === 'end' ? 'it ends too early' : `${quoted(token.text)} is not understood`);
  }

  #name(name: string): Thunk {
    if (['and', 'or', 'not', 'in', 'is'].includes(name)) throw malformed(`${quoted(name)} is not understood here`);
    return () => {
      const value = this.#lookup(name);
      if (value === undefined) throw malformed(`there is no name ${quoted(name)}`);
      return value;
    };
  }

  #group(): Thunk {
    this.#deeper();
    const items = [this.either()];
    let tuple = false;
    while (this.#takes(',')) {
      tuple = true;
      if (this.#peek().text !== ')') items.push(this.either());
    }
    this.#expect(')');
    const [only] = items;
    return tuple || only === undefined ? () => items.map((thunk) => thunk()) : only;
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > 100) throw malformed('it is nested too deeply');
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #takes(text: string): boolean {
    const token = this.#peek();
    if (token.kind === 'text' || token.text !== text || token.kind === 'end') return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw malformed(`${quoted(text)} is missing`);
  }
}
