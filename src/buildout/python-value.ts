import { malformed } from './failure.ts';

/** What an expression of a condition can be made of; a list stands for Python's tuples. */
export type Value = boolean | number | string | null | readonly Value[];

export function truth(value: Value): boolean {
  return isTuple(value) ? value.length > 0 : Boolean(value);
}

export function compare(operator: string, left: Value, right: Value): boolean {
  if (operator === 'in') return contains(right, left);
  if (operator === 'not in') return !contains(right, left);
  if (operator === '==') return equal(left, right);
  if (operator === '!=') return !equal(left, right);
  const order = ordered(left, right);
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}

function equal(left: Value, right: Value): boolean {
  if (!isTuple(left) || !isTuple(right)) return left === right;
  return left.length === right.length && left.every((value, index) => equal(value, right[index] ?? null));
}

function ordered(left: Value, right: Value): number {
  if (isTuple(left) && isTuple(right)) {
    for (const [index, value] of left.entries()) {
      const other: Value | undefined = right[index];
      if (other === undefined) return 1;
      if (!equal(value, other)) return ordered(value, other);
    }
    return left.length - right.length;
  }
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return Number(left > right) - Number(left < right);
  throw malformed('only numbers with numbers, texts with texts and tuples with tuples can be ordered');
}

function contains(whole: Value, part: Value): boolean {
  if (typeof whole === 'string' && typeof part === 'string') return whole.includes(part);
  if (isTuple(whole)) return whole.some((value: Value) => equal(value, part));
  throw malformed('"in" needs a text or a tuple on its right');
}

export function item(whole: Value, index: number): Value {
  const found: Value | undefined = typeof whole === 'string' ? whole[index] : isTuple(whole) ? whole[index] : undefined;
  if (found === undefined) throw malformed(`there is no index ${String(index)}`);
  return found;
}

export function slice(whole: Value, from: number, to: number | null): Value {
  if (typeof whole === 'string' || isTuple(whole)) return whole.slice(from, to ?? undefined);
  throw malformed('only texts and tuples can be sliced');
}

function isTuple(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
