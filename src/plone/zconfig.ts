import { OciPloneError } from '../errors.ts';
import { linesWithEnds } from './report.ts';

/** A line of a file in ZConfig's syntax (https://zconfig.readthedocs.io, "Configuration Syntax"). */
export interface ZConfigLine {
  readonly number: number;
  readonly text: string;
  readonly end: string;
  readonly kind: 'blank' | 'section' | 'directive' | 'pair';
  /** The type of the innermost section it stands in, lower case; empty at the top. */
  readonly section: string;
  /** A key, or a directive's name, lower case; empty for others. */
  readonly key: string;
  /** What follows the key, and at which column. */
  readonly value: string;
  readonly column: number;
}

export interface ZConfigFile {
  /** For errors. */
  readonly file: string;
  /** Types of the sections that an included file stands in. */
  readonly within: readonly string[];
}

const SECTION = /^<\s*([^\s()<>/]+)(?:\s+[^\s()]+?)?\s*(\/?)>$/;
const PAIR = /^(\s*)([^\s()]+)(\s*)(.*?)\s*$/;
const DIRECTIVES: ReadonlySet<string> = new Set(['define', 'import', 'include']);

/** Reads ZConfig's lines. Throws INPUT_MALFORMED for what ZConfig itself would refuse of them. */
export function* readZConfig(text: string, { file, within }: ZConfigFile): Generator<ZConfigLine> {
  const open = [...within];
  let last = 0;
  for (const { number, text: line, end } of linesWithEnds(text)) {
    last = number;
    const fail = (what: string): OciPloneError => malformed(file, number, what);
    const stripped = line.trim();
    const base = { number, text: line, end, section: open.at(-1) ?? '', key: '', value: '', column: 0 };
    if (stripped === '' || stripped.startsWith('#')) yield { ...base, kind: 'blank' };
    else if (stripped.startsWith('</')) {
      const type = /^<\/(.*)>$/.exec(stripped)?.[1]?.trim().toLowerCase();
      if (type === undefined || open.length <= within.length || open.pop() !== type)
        throw fail('a section ends that is not open');
      yield { ...base, kind: 'section' };
    } else if (stripped.startsWith('<')) {
      const [, type, empty] = SECTION.exec(stripped) ?? [];
      if (type === undefined) throw fail('malformed section header');
      yield { ...base, kind: 'section' };
      if (empty === '') open.push(type.toLowerCase());
    } else {
      const directive = stripped.startsWith('%');
      const [, blank = '', key = '', gap = '', value = ''] = PAIR.exec(line) ?? [];
      const name = (directive ? key.slice(1) : key).toLowerCase();
      if (key === '' || (directive && (!DIRECTIVES.has(name) || value === '')))
        throw fail('neither a key nor a directive');
      const column = blank.length + key.length + gap.length;
      yield { ...base, kind: directive ? 'directive' : 'pair', key: name, value, column };
    }
  }
  if (open.length > within.length) throw malformed(file, last, `the section <${open.at(-1) ?? ''}> does not end`);
}

/** Values of `%define`, and whatever else `$name` may stand for, by lower-case name. */
export type Defines = ReadonlyMap<string, string>;

/**
 * `$name`, `${name}` and `$$` in a value (ZConfig, "Replacement"). Null where a name is not known, as those of the
 * environment, `$(NAME)`, never are.
 */
export function substituted(value: string, defines: Defines): string | null {
  let known = true;
  const text = value.replace(/\$(?:\$|\{(\w+)\}|(\w+)|\(|)/g, (whole, braced?: string, bare?: string) => {
    if (whole === '$$') return '$';
    const defined = defines.get((braced ?? bare ?? '').toLowerCase());
    if (defined === undefined) known = false;
    return defined ?? '';
  });
  return known ? text : null;
}

function malformed(file: string, line: number, what: string): OciPloneError {
  return new OciPloneError('INPUT_MALFORMED', `${file}:${line}: ${what}`, {
    hint: 'Zope would not start with it either: see https://zconfig.readthedocs.io.',
  });
}
