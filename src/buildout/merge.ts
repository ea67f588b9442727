import { addTo, NOTHING, removeFrom } from './option.ts';
import type { Option, Section, Sections } from './option.ts';

/** The operator of a name as `parse.ts` writes it: `x +` for `x += …`, `x -` for `x -= …`. */
export function operatorOf(name: string): '+' | '-' | '' {
  if (name.endsWith(' +')) return '+';
  return name.endsWith(' -') ? '-' : '';
}

function baseOf(name: string): string {
  return name.slice(0, -2);
}

/**
 * Lays the sections of one file over those before it (`_update`). A section that has a macro (`<=`) and is new keeps its
 * operators, as the values they work on are known only once the macro is applied.
 */
export function mergeSections(under: Sections, over: Sections): Sections {
  const merged = new Map(under);
  for (const [name, section] of over) {
    const before = under.get(name);
    if (before !== undefined) merged.set(name, mergeSection(before, section));
    else if (section.has('<')) merged.set(name, section);
    else merged.set(name, mergeSection(new Map(), withoutIdleOperators(section)));
  }
  return merged;
}

/** In a section that is new, `+=` without a `=` is a `=`, and `-=` without one is empty. */
function withoutIdleOperators(section: Section): Section {
  const options = new Map(section);
  for (const name of [...section.keys()].sort()) {
    const option = section.get(name);
    const operator = operatorOf(name);
    if (option === undefined || operator === '' || options.has(baseOf(name))) continue;
    options.set(baseOf(name), operator === '+' ? option : emptied(option));
    options.delete(name);
  }
  return options;
}

/** The removal itself is in no file: a folder that becomes empty so is relative to `directory`. */
function emptied(option: Option): Option {
  return { value: '', history: [...option.history, { operation: 'remove', origins: [] }] };
}

/** Lays one section over another (`_update_section`): all `+=` first, then all `-=`, on the lines of a value. */
export function mergeSection(under: Section, over: Section): Section {
  const own = new Map(over);
  for (const name of [...over.keys()].sort(byOperator)) {
    const operator = operatorOf(name);
    const change = over.get(name);
    if (operator === '' || change === undefined) continue;
    const base = baseOf(name);
    const before = own.get(base) ?? under.get(base) ?? NOTHING;
    own.set(base, operator === '+' ? addTo(before, change) : removeFrom(before, change));
    own.delete(name);
  }
  const merged = new Map(under);
  for (const [name, option] of own) merged.set(name, overridden(merged.get(name), option));
  return merged;
}

/** A value that was added to already holds the history of what it was added to; another one ends that history. */
function overridden(under: Option | undefined, over: Option): Option {
  const last = over.history.at(-1);
  if (under === undefined || last === undefined || last.operation !== 'set') return over;
  return { value: over.value, history: [...under.history, last] };
}

function byOperator(left: string, right: string): number {
  return compare(sortName(left), sortName(right)) || compare(left.slice(-1), right.slice(-1));
}

function sortName(name: string): string {
  return operatorOf(name) === '+' ? baseOf(name) : name;
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
