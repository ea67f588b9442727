import type { EventEmitter } from 'node:events';
import { deflate } from 'libdeflate';
import type { Codec } from './codec.ts';
import { freeingEvery } from './dead-buffers.ts';
import { gzipMembers } from './gzip-member.ts';

/** On a real closure a hundredth smaller than level 3, and a twentieth slower; the next one is an eighth slower. */
const LEVEL = 4;

/** Blocks whose encodings, some hundreds of kilobytes each, may lie dead in memory. */
const DEAD = 8;

let isFirst = true;

/**
 * Integer arithmetic in WebAssembly, which has no instruction that differs between processors: the same bytes everywhere. The
 * version in the id is that of the package, which holds libdeflate.
 */
export const libdeflate: Codec = gzipMembers(
  `libdeflate0.1-${LEVEL}`,
  freeingEvery(DEAD, (block: Uint8Array) => {
    if (!isFirst) return deflate(block, LEVEL);
    isFirst = false;
    return withoutListeners(() => deflate(block, LEVEL));
  }),
);

/**
 * With its first use the WebAssembly's glue begins to listen for all that goes wrong in the process, to throw it again. Who calls a
 * library wants to hear of that himself.
 */
function withoutListeners<T>(use: () => T): T {
  const emitter: EventEmitter = process;
  const heard = ['uncaughtException', 'unhandledRejection'].map((event) => ({
    event,
    before: new Set(emitter.listeners(event)),
  }));
  try {
    return use();
  } finally {
    for (const { event, before } of heard)
      for (const listener of emitter.listeners(event))
        if (!before.has(listener) && isListener(listener)) emitter.removeListener(event, listener);
  }
}

function isListener(value: unknown): value is () => void {
  return typeof value === 'function';
}
