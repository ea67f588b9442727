import { isLeftover } from './mapping.ts';
import type { FoundPath } from './path-text.ts';
import type { Change, Leftover, Need, NeedRole, RewriteOptions, Rewritten, Warning } from './rewritten.ts';

/** Collects the lines of a file in the making, and what there is to say of them. */
export class Report {
  readonly #options: RewriteOptions;
  readonly #changes: Change[] = [];
  readonly #warnings: Warning[] = [];
  readonly #leftovers: Leftover[] = [];
  readonly #needs: Need[] = [];
  #text = '';

  constructor(options: RewriteOptions) {
    this.#options = options;
  }

  /** Adds a line; null drops it. The line's end goes with it. */
  line(number: number, before: string, after: string | null, end: string): void {
    if (after !== before) this.#changes.push({ file: this.#options.file, line: number, before, after });
    if (after !== null) this.#text += after + end;
  }

  warn(line: number, text: string): void {
    this.#warnings.push({ file: this.#options.file, line, text });
  }

  /** Paths that stand in a line. */
  paths(line: number, found: readonly FoundPath[]): void {
    const { file, mappings } = this.#options;
    for (const { source, target } of found)
      if (target === null && isLeftover(source, mappings)) this.#leftovers.push({ file, line, path: source });
  }

  needs(line: number, role: NeedRole, found: readonly FoundPath[]): void {
    for (const { source, target } of found) if (target !== null) this.#needs.push({ role, path: source, target, line });
  }

  done(): Rewritten {
    return {
      text: this.#text,
      changes: this.#changes,
      warnings: this.#warnings,
      leftovers: this.#leftovers,
      needs: this.#needs,
    };
  }
}

/** The lines of a text with their ends; joined, they are the text. */
export function* linesWithEnds(
  text: string,
): Generator<{ readonly number: number; readonly text: string; readonly end: string }> {
  let number = 0;
  for (const [whole] of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const end = /\r?\n$/.exec(whole)?.[0] ?? '';
    yield { number: ++number, text: whole.slice(0, whole.length - end.length), end };
  }
}
