/** `; did you mean "cmd"?`, or nothing where no known name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === null ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
}

/** The known name that is spelled most alike, if it is near enough. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const most = Math.max(1, Math.floor(name.length / 3));
  const [nearest] = [...known]
    .map((other) => ({ other, distance: distanceOf(name, other) }))
    .filter(({ distance }) => distance <= most)
    .sort((left, right) => left.distance - right.distance || (left.other < right.other ? -1 : 1));
  return nearest?.other ?? null;
}

/** How many letters have to be put in, left out, replaced or swapped with their neighbour (optimal string alignment). */
function distanceOf(left: string, right: string): number {
  let [before, row] = [[] as number[], Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let index = 1; index <= right.length; index += 1) {
      const same = left[at - 1] === right[index - 1] ? 0 : 1;
      const isSwapped = at > 1 && index > 1 && left[at - 1] === right[index - 2] && left[at - 2] === right[index - 1];
      const swapped = isSwapped ? (before[index - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min((row[index - 1] ?? 0) + same, (row[index] ?? 0) + 1, (next[index - 1] ?? 0) + 1, swapped));
    }
    [before, row] = [row, next];
  }
  return row[right.length] ?? 0;
}
