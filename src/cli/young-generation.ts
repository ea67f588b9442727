import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets the young generation grow to 33 MB where there is much garbage, and a pack makes much; it is no faster for it. Said
 * again for every thread that has started: each sets the factor of the whole process back to what V8 holds for the least.
 */
export function keepYoungGenerationSmall(): void {
  const keep = (): void => setFlagsFromString('--semi-space-growth-factor=1');
  keep();
  process.on('worker', (worker) => worker.once('online', keep));
}
