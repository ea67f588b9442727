import type { OciPloneError } from '../errors.ts';
import { fold, unfold } from './fold.ts';
import { malformed, quoted } from './failure.ts';
import { setOption } from './option.ts';
import type { Option, Sections } from './option.ts';
import { dedent, dropLeadingBlankLines, SPACE, startsWithSpace, strip, stripEnd } from './whitespace.ts';

/** Decides whether a section with a condition counts; throws where the expression is none. */
export type Condition = (expression: string) => boolean;

interface Draft {
  value: string;
  lines: number[];
}

type DraftSection = Map<string, Draft>;

const HEADER = new RegExp(
  `^\\[[${SPACE}]*([^${SPACE}#[\\]:;{}]+)[${SPACE}]*(?::([^#;]*))?\\][${SPACE}]*(?:[#;][^]*)?$`,
);
const OPTION = new RegExp(`^([^${SPACE}{}[\\]=:]+[${SPACE}]*[-+]?)=([^]*)$`);

/**
 * Reads the text of one file as zc.buildout's `configparser.parse` does. Options with an operator are named `x +` and
 * `x -`. All bad lines are reported together.
 *
 * Where this differs from zc.buildout 6.0.1, on purpose:
 *
 * | input                                            | zc.buildout                     | here                             |
 * | ------------------------------------------------ | ------------------------------- | -------------------------------- |
 * | the first section's condition is false           | MissingSectionHeaderError       | its lines are skipped            |
 * | the same after a section without options, with a | ParsingError for the            | its lines are skipped            |
 * | value of several lines                           | continuation                    |                                  |
 * | `x+=1`, `x  +=1` (not one blank before `+`)      | names an option `` or `x `, or  | as `x += 1`                      |
 * |                                                  | an IndexError                   |                                  |
 * | `+= 1`                                           | IndexError                      | a bad line                       |
 * | a condition with an expression that is not in    | runs it, whatever it does       | a bad line                       |
 * | `expression.ts`                                  |                                 |                                  |
 */
export function parseBuildout(text: string, file: string, condition: Condition): Sections {
  const drafts = new Drafts(file, condition);
  for (const [index, line] of linesOf(text).entries()) drafts.read(line, index + 1);
  return drafts.finish();
}

/** Lines as Python's universal newlines cut them. */
function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** The sections of a file while it is read. */
class Drafts {
  readonly #file: string;
  readonly #condition: Condition;
  readonly #sections = new Map<string, DraftSection>();
  readonly #bad: string[] = [];
  #section: DraftSection | null = null;
  /** The option that continuation lines belong to. */
  #open: Draft | null = null;
  /** Whether that option's own line had no value: its blank lines and indents count. */
  #block = false;
  /** Whether a condition switched the current section off. */
  #skipping = false;

  constructor(file: string, condition: Condition) {
    this.#file = file;
    this.#condition = condition;
  }

  read(line: string, number: number): void {
    if (line.startsWith('#') || line.startsWith(';')) return;
    if (line === '' || startsWithSpace(line)) {
      this.#indented(line, number);
      return;
    }
    const header = HEADER.exec(line);
    if (header !== null) {
      this.#header(header[1] ?? '', header[2] ?? '', number);
    } else if (this.#section !== null || this.#skipping) {
      this.#option(line, number);
    } else {
      throw this.#beforeAnySection(line, number);
    }
  }

  #beforeAnySection(line: string, number: number): OciPloneError {
    return malformed(
      `${this.#file}:${String(number)}: ${quoted(line)} stands before the first [section]`,
      line.startsWith('\uFEFF') ? 'Save the file as UTF-8 without a byte order mark.' : 'Begin with [buildout].',
    );
  }

  /** The sections, with each value joined, dedented and read through `ini`. */
  finish(): Sections {
    if (this.#bad.length > 0) {
      const shown = this.#bad.slice(0, 50);
      const more = this.#bad.length - shown.length;
      throw malformed(
        [
          `${this.#file} has lines that are not understood:`,
          ...shown,
          ...(more > 0 ? [`and ${String(more)} more`] : []),
        ].join('\n  '),
        'An option is "name = value"; what continues it on the next line is indented.',
      );
    }
    const values = new Map<string, Map<string, string>>();
    for (const [name, section] of this.#sections) {
      values.set(name, new Map([...section].map(([key, draft]) => [key, finalValue(draft.value)])));
    }
    const read = unfold(fold(values), values.keys());
    return new Map([...read].map(([name, options]) => [name, this.#options(name, options)]));
  }

  #options(section: string, options: ReadonlyMap<string, string>): Map<string, Option> {
    const drafts = this.#sections.get(section);
    return new Map(
      [...options].map(([key, value]) => {
        const lines = drafts?.get(key)?.lines ?? [];
        return [key, setOption(value, ...lines.map((line) => ({ file: this.#file, line })))];
      }),
    );
  }

  #indented(line: string, number: number): void {
    if (this.#skipping) return;
    if (this.#open !== null) {
      const continued = this.#block ? stripEnd(line) : strip(line);
      if (this.#block || continued !== '') this.#open.value += `\n${continued}`;
    } else if (strip(line) !== '') {
      if (this.#section === null) throw this.#beforeAnySection(line, number);
      this.#bad.push(`line ${String(number)}: ${quoted(line)} continues no option`);
    }
  }

  #header(name: string, expression: string, number: number): void {
    this.#skipping = expression !== '' && !this.#holds(expression, number);
    if (this.#skipping) return;
    const section = this.#sections.get(name) ?? new Map<string, Draft>();
    this.#sections.set(name, section);
    this.#section = section;
    this.#open = null;
  }

  #holds(expression: string, number: number): boolean {
    try {
      return this.#condition(expression.replaceAll('\\x23', '#').replaceAll('\\x3b', ';'));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#bad.push(`line ${String(number)}: the condition ${quoted(strip(expression))}: ${reason}`);
      return false;
    }
  }

  #option(line: string, number: number): void {
    const match = OPTION.exec(line.startsWith('=>') ? `<part-dependencies> = ${line.slice(2)}` : line);
    const written = stripEnd(match?.[1] ?? '');
    const operator = /[-+]$/.exec(written)?.[0] ?? '';
    const base = operator === '' ? written : stripEnd(written.slice(0, -1));
    if (match === null || base === '') {
      this.#bad.push(`line ${String(number)}: ${quoted(line)}`);
    } else if (!this.#skipping && this.#section !== null) {
      const value = strip(match[2] ?? '');
      this.#open = assign(this.#section, base, operator, value, number);
      this.#block = value === '';
    }
  }
}

/** Repeated `+=` of one file are one; a `=` ends those before it. */
function assign(section: DraftSection, base: string, operator: string, value: string, line: number): Draft {
  const name = operator === '' ? base : `${base} ${operator}`;
  const before = section.get(name);
  if (before !== undefined && operator !== '') {
    before.value = stripEnd(before.value);
    if (value !== '') before.value += `\n${value}`;
    before.lines.push(line);
    return before;
  }
  if (operator === '') {
    section.delete(`${base} +`);
    section.delete(`${base} -`);
  }
  const draft: Draft = { value, lines: [line] };
  section.set(name, draft);
  return draft;
}

function finalValue(value: string): string {
  return startsWithSpace(value) ? dropLeadingBlankLines(dedent(stripEnd(value))) : value;
}
