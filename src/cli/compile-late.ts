import { setFlagsFromString } from 'node:v8';

/** The first version of V8 whose middle compiler, Maglev, is on in Node by default (Node 24). */
const WITH_MAGLEV = 13;

/** How often a function is called before V8's last compiler gets it: without it, 3,000 times. */
const CALLS = 200_000;

/**
 * V8's last compiler takes a twentieth of the processor time of packing a Plone, at the cost of the encoders beside it, and what
 * it makes is hardly faster there than what the one before made at once. Where there is enough to do for it, it comes in time.
 */
export function compileLate(): void {
  if (Number.parseInt(process.versions.v8, 10) >= WITH_MAGLEV)
    setFlagsFromString(`--invocation-count-for-turbofan=${CALLS}`);
}
