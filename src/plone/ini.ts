import { linesWithEnds } from './report.ts';

/** A line of a file in the syntax of Python's configparser. */
export interface IniLine {
  readonly number: number;
  readonly text: string;
  readonly end: string;
  readonly kind: 'blank' | 'section' | 'pair' | 'more';
  readonly section: string;
  /** Lower case; also of the lines that continue a value. */
  readonly key: string;
  readonly value: string;
  readonly column: number;
}

const PAIR = /^(\s*)([^\s=:](?:[^=:]*[^\s=:])?)(\s*[=:]\s*)(.*?)\s*$/;

/** Reads the lines of an ini file; what is none of them counts as blank. */
export function* readIni(text: string): Generator<IniLine> {
  let [section, key, indent] = ['', '', 0];
  for (const { number, text: line, end } of linesWithEnds(text)) {
    const stripped = line.trim();
    const blank = line.length - line.trimStart().length;
    const base = { number, text: line, end, section, key: '', value: '', column: 0 };
    if (stripped === '' || stripped.startsWith('#') || stripped.startsWith(';')) yield { ...base, kind: 'blank' };
    else if (key !== '' && blank > indent) yield { ...base, kind: 'more', key, value: stripped, column: blank };
    else if (/^\[.+\]/.test(stripped)) {
      section = /^\[(.+?)\]/.exec(stripped)?.[1] ?? '';
      key = '';
      yield { ...base, kind: 'section', section };
    } else {
      const [, , name, equals = '', value = ''] = PAIR.exec(line) ?? [];
      key = name?.toLowerCase() ?? '';
      indent = blank;
      const column = blank + (name?.length ?? 0) + equals.length;
      yield { ...base, kind: name === undefined ? 'blank' : 'pair', key, value, column };
    }
  }
}

/** Values by section and key, lines joined by a line feed. */
export function iniSections(lines: readonly IniLine[]): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  for (const { kind, section, key, value } of lines) {
    if (kind !== 'pair' && kind !== 'more') continue;
    const values = sections.get(section) ?? new Map<string, string>();
    sections.set(section, values);
    values.set(key, kind === 'more' ? `${values.get(key) ?? ''}\n${value}` : value);
  }
  return sections;
}
