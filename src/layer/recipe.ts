import type { Encoder } from './encoder.ts';

/**
 * Names every choice that shapes a layer's bytes: how the tar is written (tar.ts: ustar and PAX, owner 0:0, time 1, no
 * hard links, folder by folder), which path goes where (plan.ts), and the encoder. A digest is a pure function of the
 * input and this id; who changes one of these choices changes the id.
 */
export function recipeId(encoder: Pick<Encoder, 'id'>): string {
  return `tar1+one1+${encoder.id}`;
}

/** The recipe of a layer that was taken as it is. */
export const VERBATIM_RECIPE = 'verbatim1';
