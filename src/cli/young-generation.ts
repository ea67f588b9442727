import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets the young generation grow to 33 MB where there is much garbage, and a pack makes much; it is no faster for it. To be
 * said again once threads were started: each sets the factor of the whole process back to what V8 holds for the least.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
