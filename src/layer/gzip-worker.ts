import { parentPort } from 'node:worker_threads';
import { type PortableDeflater, writeMember } from './gzip-member.ts';

/** A block to encode, and where its member goes: both in memory that is shared, so that no copy becomes garbage. */
export interface GzipTask {
  readonly block: Uint8Array;
  readonly member: Uint8Array;
  readonly deflater: PortableDeflater;
}

// One task in, the member's length out, in order: whoever sends keeps count.
parentPort?.on('message', ({ block, member, deflater }: GzipTask) => {
  parentPort?.postMessage(writeMember(block, member, deflater));
});
