import { malformed } from './failure.ts';
import { mergeSection } from './merge.ts';
import { lastOrigins } from './option.ts';
import type { Option, Section, Sections } from './option.ts';
import { place } from './origin.ts';
import { strip } from './whitespace.ts';

/** Applies macros (`<=`, `_do_extend_raw`); each section is worked out once. [buildout] has none. */
export class Macros {
  readonly #sections: Sections;
  readonly #done = new Map<string, Section>();

  constructor(sections: Sections) {
    this.#sections = sections;
  }

  apply(name: string, section: Section): Section {
    return this.#apply(name, section, []);
  }

  #apply(name: string, section: Section, doing: readonly string[]): Section {
    const macro = section.get('<');
    if (name === 'buildout' || macro === undefined) return section;
    const done = this.#done.get(name);
    if (done !== undefined) return done;
    const at = place(lastOrigins(macro)[0]);
    if (doing.includes(name)) {
      throw malformed(`[${name}] <= (${at}): an endless loop of macros, ${[...doing, name].join(' → ')}`);
    }
    const inherited = new Map<string, Option>();
    for (const line of macro.value.split('\n')) {
      const from = strip(line);
      if (from === '') continue;
      const found = this.#sections.get(from);
      if (found === undefined) {
        throw malformed(
          `[${name}] <= ${from} (${at}): there is no section [${from}]`,
          'Write each name on a line of its own.',
        );
      }
      for (const [key, option] of this.#apply(from, found, [...doing, name])) inherited.set(key, option);
    }
    const result = new Map(mergeSection(inherited, section));
    result.delete('<');
    this.#done.set(name, result);
    return result;
  }
}
