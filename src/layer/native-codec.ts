import { type Codec, NOT_THIS } from './codec.ts';
import { freeFirst, freeNow, freeingEvery } from './dead-buffers.ts';

/**
 * A codec of one of node's functions, which bring memory of their own.
 *
 * @param dead - calls whose buffers may lie dead in memory where `freeNow` cannot free them: to be freed more often costs the
 *   system more than it saves
 * @param run - gets the input, and how many bytes there is room for; null for what is nothing that it knows
 */
export function nativeCodec(
  id: string,
  dead: number,
  run: (input: Uint8Array, room: number) => Uint8Array | null,
): Codec {
  freeFirst();
  return {
    id,
    run: freeingEvery(dead, (input: Uint8Array, output: Uint8Array) => {
      const made = run(input, output.length);
      if (made === null) return NOT_THIS;
      const { length } = made;
      output.set(made);
      freeNow(made);
      return length;
    }),
  };
}
