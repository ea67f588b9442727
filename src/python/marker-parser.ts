import { OciPloneError } from '../errors.ts';

/** A value of a marker: a variable of the environment, or a text in quotes. */
export interface MarkerValue {
  readonly kind: 'variable' | 'text';
  readonly value: string;
}

/** An environment marker of PEP 508, parsed. */
export type Marker =
  | { readonly kind: 'compare'; readonly left: MarkerValue; readonly operator: string; readonly right: MarkerValue }
  | { readonly kind: 'and' | 'or'; readonly left: Marker; readonly right: Marker };

export const MARKER_VARIABLES: readonly string[] = [
  'os_name',
  'sys_platform',
  'platform_machine',
  'platform_python_implementation',
  'platform_release',
  'platform_system',
  'platform_version',
  'python_version',
  'python_full_version',
  'implementation_name',
  'implementation_version',
  'extra',
];

/** The spellings of PEP 345, which old metadata has. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  'os.name': 'os_name',
  'sys.platform': 'sys_platform',
  'platform.version': 'platform_version',
  'platform.machine': 'platform_machine',
  'platform.python_implementation': 'platform_python_implementation',
  python_implementation: 'platform_python_implementation',
};

const TOKEN = /\s*(?:(<=|>=|===|==|~=|!=|<|>|\(|\))|'([^']*)'|"([^"]*)"|([a-z_][a-z0-9_.]*)|(\S))/giy;
const COMPARISONS: ReadonlySet<string> = new Set(['<=', '>=', '===', '==', '~=', '!=', '<', '>']);
const DEEPEST = 50;

interface Token {
  readonly kind: 'sign' | 'text' | 'word' | 'end';
  readonly value: string;
}

/**
 * Parses a marker. Nothing of it is ever run: variables stand in a closed list.
 *
 * @throws INPUT_MALFORMED
 */
export function parseMarker(text: string): Marker {
  const tokens = tokenize(text);
  let at = 0;
  let depth = 0;
  const peek = (): Token => tokens[at] ?? { kind: 'end', value: '' };
  const take = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };
  const isWord = (word: string): boolean => peek().kind === 'word' && peek().value === word;

  const disjunction = (): Marker => chain('or', () => chain('and', atom));
  const chain = (kind: 'and' | 'or', operand: () => Marker): Marker => {
    let left = operand();
    while (isWord(kind)) {
      take();
      left = { kind, left, right: operand() };
    }
    return left;
  };
  const atom = (): Marker => {
    if (peek().kind === 'sign' && peek().value === '(') {
      depth += 1;
      if (depth > DEEPEST) throw malformed(text, 'too many parentheses');
      take();
      const inner = disjunction();
      if (take().value !== ')') throw malformed(text, 'a parenthesis is not closed');
      depth -= 1;
      return inner;
    }
    return { kind: 'compare', left: value(), operator: operator(), right: value() };
  };
  const operator = (): string => {
    const token = take();
    if (token.kind === 'sign' && COMPARISONS.has(token.value)) return token.value;
    if (token.kind === 'word' && token.value === 'in') return 'in';
    if (token.kind === 'word' && token.value === 'not' && take().value === 'in') return 'not in';
    throw malformed(text, `"${token.value}" is not a comparison`);
  };
  const value = (): MarkerValue => {
    const token = take();
    if (token.kind === 'text') return { kind: 'text', value: token.value };
    const name = OLD_NAMES[token.value] ?? token.value;
    if (token.kind === 'word' && MARKER_VARIABLES.includes(name)) return { kind: 'variable', value: name };
    throw malformed(text, token.kind === 'end' ? 'it ends too early' : `"${token.value}" is not known`);
  };

  const marker = disjunction();
  if (peek().kind !== 'end') throw malformed(text, `"${peek().value}" is not expected`);
  return marker;
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const [, sign, single, double, word, wrong] of text.trim().matchAll(TOKEN)) {
    if (wrong !== undefined) throw malformed(text, `"${wrong}" is not expected`);
    if (sign !== undefined) tokens.push({ kind: 'sign', value: sign });
    else if (word !== undefined) tokens.push({ kind: 'word', value: word });
    else tokens.push({ kind: 'text', value: single ?? double ?? '' });
  }
  return tokens;
}

function malformed(text: string, why: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `the marker "${text.slice(0, 200)}" cannot be read: ${why}`);
}
