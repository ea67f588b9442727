/** What a pyproject.toml says about its project (PEP 621); null where it leaves that to the build backend. */
export interface TomlProject {
  readonly name: string;
  /** Null where it is dynamic. */
  readonly version: string | null;
  readonly dependencies: readonly string[];
  readonly extras: ReadonlyMap<string, readonly string[]>;
}

const STRING = String.raw`"(?:[^"\\\n]|\\.)*"|'[^'\n]*'`;
const TOKEN = new RegExp(
  String.raw`(?<skip>[ \t]+|#[^\n]*)|(?<newline>\n)|(?<string>"""[^]*?"""|'''[^]*?'''|${STRING})|(?<mark>[[\]=,{}.])|(?<word>[^\s[\]=,{}."'#]+)`,
  'y',
);

/**
 * Reads the few values of `[project]` that matter here, out of whatever TOML stands around them: names, texts and lists of
 * texts. Null without a `[project]`, and where its dependencies are dynamic.
 */
export function readTomlProject(text: string): TomlProject | null {
  const values = readTables(text);
  const texts = (key: string): readonly string[] => values.get(key) ?? [];
  const [name] = texts('project.name');
  const dynamic = texts('project.dynamic');
  if (name === undefined || dynamic.includes('dependencies')) return null;
  const prefix = 'project.optional-dependencies.';
  return {
    name,
    version: texts('project.version')[0] ?? null,
    dependencies: texts('project.dependencies'),
    extras: new Map(
      [...values].flatMap(([key, list]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), list] as const] : [])),
    ),
  };
}

/** All texts of each key, by `table.key`; nested tables of a value are passed over. */
function readTables(text: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  const lines = statements(text.replaceAll('\r\n', '\n'));
  let table = '';
  for (const tokens of lines) {
    const isHeader = tokens[0] === '[';
    const equals = tokens.indexOf('=');
    if (isHeader) table = nameOf(tokens.filter((token) => token !== '[' && token !== ']'));
    else if (equals > 0) {
      const key = [table, nameOf(tokens.slice(0, equals))].filter((part) => part !== '').join('.');
      values.set(
        key,
        tokens
          .slice(equals + 1)
          .filter(isText)
          .map(unquote),
      );
    }
  }
  return values;
}

/** The tokens of each statement: one ends with its line, unless a bracket is open. */
function statements(text: string): readonly (readonly string[])[] {
  const all: string[][] = [];
  let current: string[] = [];
  let depth = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null && match[0] !== ''; match = TOKEN.exec(text)) {
    const [token] = match;
    if (match.groups?.['newline'] !== undefined && depth === 0) {
      all.push(current);
      current = [];
    } else if (match.groups?.['skip'] === undefined && token !== '\n') {
      current.push(token);
      if (token === '[' || token === '{') depth += 1;
      if (token === ']' || token === '}') depth -= 1;
    }
  }
  return [...all, current].filter((tokens) => tokens.length > 0);
}

function nameOf(tokens: readonly string[]): string {
  return tokens.map((token) => (isText(token) ? unquote(token) : token)).join('');
}

function isText(token: string): boolean {
  return token.startsWith('"') || token.startsWith("'");
}

function unquote(token: string): string {
  const marks = /^("""|'''|"|')/.exec(token)?.[0].length ?? 0;
  const inner = token.slice(marks, -marks);
  if (!token.startsWith('"')) return inner;
  return inner.replace(/\\(["\\nt])/g, (_, mark: string) => ({ n: '\n', t: '\t' })[mark] ?? mark);
}
