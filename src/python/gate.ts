/** Lets so many tasks run at once; urgent ones, which somebody waits for, before those that are only likely to be needed. */
export class Gate {
  readonly #width: number;
  readonly #urgent: (() => void)[] = [];
  readonly #likely: (() => void)[] = [];
  #running = 0;

  constructor(width: number) {
    this.#width = width;
  }

  async run<T>(urgent: boolean, task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width)
      await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#likely).push(resolve));
    else this.#running += 1;
    try {
      return await task();
    } finally {
      // The place is handed over, not given back: nobody can slip in between.
      const next = this.#urgent.shift() ?? this.#likely.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
