/** The same promise for the same key: what is under way, or known, is not asked for again. */
export async function remember<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const old = known.get(key);
  if (old !== undefined) return old;
  const made = make();
  known.set(key, made);
  return made;
}

/** The same promise for the same key as long as it is under way. */
export async function inFlight<T>(running: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  return remember(running, key, async () => make().finally(() => running.delete(key)));
}
