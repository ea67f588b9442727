import type { Origin } from './origin.ts';

/**
 * A value with its history, zc.buildout's SectionKey. The history tells where the value comes from, and relative folders
 * are resolved by it.
 */
export interface Option {
  readonly value: string;
  readonly history: readonly Step[];
}

export interface Step {
  readonly operation: 'set' | 'add' | 'remove';
  readonly origins: readonly Origin[];
}

/** Maps keep the order and know no prototype: `__proto__` is a name like any other, and `10` stays where it stands. */
export type Section = ReadonlyMap<string, Option>;
export type Sections = ReadonlyMap<string, Section>;

/** An option as one place sets it. */
export function setOption(value: string, ...origins: readonly Origin[]): Option {
  return { value, history: [{ operation: 'set', origins }] };
}

/** An option that is in no file, the left side of a `+=` without one. */
export const NOTHING: Option = { value: '', history: [] };

/** `+=`: the lines of both. */
export function addTo(option: Option, added: Option): Option {
  return {
    value: `${option.value}\n${added.value}`,
    history: [...option.history, { operation: 'add', origins: lastOrigins(added) }],
  };
}

/** `-=`: the lines that are not among the removed ones. */
export function removeFrom(option: Option, removed: Option): Option {
  const gone = new Set(removed.value.split('\n'));
  return {
    value: option.value
      .split('\n')
      .filter((line) => !gone.has(line))
      .join('\n'),
    history: [...option.history, { operation: 'remove', origins: lastOrigins(removed) }],
  };
}

/** Where the value was given last: a relative folder is relative to this. */
export function lastOrigins(option: Option): readonly Origin[] {
  return option.history.at(-1)?.origins ?? [];
}

/** Where the value comes from: the place that set it, then those that added and removed lines. */
export function originsOf(option: Option): readonly Origin[] {
  const start = option.history.findLastIndex((step) => step.operation === 'set');
  return option.history.slice(Math.max(start, 0)).flatMap((step) => step.origins);
}
