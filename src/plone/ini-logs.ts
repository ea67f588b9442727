import type { IniLine } from './ini.ts';

/** What a line becomes where logs go to the standard output; absent for a line that stays. */
export type LineEdits = ReadonlyMap<number, string | null>;

type Sections = ReadonlyMap<string, ReadonlyMap<string, string>>;

const STDOUT = '(sys.stdout,)';

/**
 * The lines of logging.config.fileConfig's sections that change when every log file becomes the standard output. Each
 * record is written once: a logger that passes records on to the root logger keeps no stream of its own.
 */
export function logsToStdout(lines: readonly IniLine[], sections: Sections): LineEdits {
  const files = handlersWith(sections, (type) => type.endsWith('FileHandler'));
  const streams = handlersWith(sections, (type) => /(^|\.)StreamHandler$/.test(type));
  const rootHandlers = namesOf(sections.get('logger_root')?.get('handlers'));
  const rootKeeps = keptByRoot(rootHandlers, files, streams);
  const edits = new Map<number, string | null>();
  for (const line of lines) {
    const [, group, name = ''] = /^(handler|logger)_(.+)$/.exec(line.section) ?? [];
    if (group === 'handler' && files.has(name)) fileHandler(edits, line);
    else if (group === 'handler' && streams.has(name) && line.key === 'args')
      edits.set(line.number, line.text.replace(/\bsys\.stderr\b/g, 'sys.stdout'));
    else if (group === 'logger' && line.key === 'handlers') {
      const passesOn = name !== 'root' && sections.get(line.section)?.get('propagate')?.trim() !== '0';
      const own = namesOf(sections.get(line.section)?.get('handlers'));
      const kept =
        name === 'root'
          ? rootKeeps
          : own.filter(
              (handler) => !(passesOn && rootKeeps.length > 0 && (files.has(handler) || streams.has(handler))),
            );
      edits.set(line.number, line.kind === 'more' ? null : line.text.slice(0, line.column) + kept.join(', '));
    }
  }
  return edits;
}

/** Of several streams to the same place one is enough. */
function keptByRoot(names: readonly string[], files: ReadonlySet<string>, streams: ReadonlySet<string>): string[] {
  const first = names.find((name) => streams.has(name)) ?? names.find((name) => files.has(name));
  return names.filter((name) => name === first || !(files.has(name) || streams.has(name)));
}

function fileHandler(edits: Map<number, string | null>, { number, kind, key, text, column }: IniLine): void {
  if (key === 'class') edits.set(number, `${text.slice(0, column)}StreamHandler\nargs = ${STDOUT}`);
  else if ((kind === 'pair' || kind === 'more') && (key === 'args' || key === 'kwargs')) edits.set(number, null);
}

function handlersWith(sections: Sections, fits: (type: string) => boolean): ReadonlySet<string> {
  const handlers = [...sections].filter(([name]) => name.startsWith('handler_'));
  return new Set(
    handlers.filter(([, values]) => fits(values.get('class') ?? '')).map(([name]) => name.slice('handler_'.length)),
  );
}

function namesOf(list: string | undefined): readonly string[] {
  return (list ?? '')
    .split(/[,\n]/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
