import { parentPort } from 'node:worker_threads';
import { gzipMember } from './gzip-member.ts';

/** A block to encode, and where its member goes: both in memory that is shared, so that no copy becomes garbage. */
export interface GzipTask {
  readonly block: Uint8Array;
  readonly member: Uint8Array;
}

// One task in, the member's length out, in order: whoever sends keeps count.
parentPort?.on('message', ({ block, member }: GzipTask) => {
  const encoded = gzipMember(block);
  member.set(encoded);
  scavenge();
  parentPort?.postMessage(encoded.length);
});

/** What `scavenge` made last; without a use of it the compiler would make nothing. */
let garbage: readonly undefined[] = [];

/**
 * fflate leaves two megabytes of dead buffers for each block. V8 frees them when its young generation is full, which these
 * buffers do not fill, or when 64 MB of them have gathered, which is too much for each of several threads.
 */
function scavenge(): number {
  // oxlint-disable-next-line unicorn/no-new-array -- its length is all that matters
  for (let count = 0; count < 1500; count++) garbage = new Array<undefined>(100);
  return garbage.length;
}
