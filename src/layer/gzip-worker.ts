import { parentPort, workerData } from 'node:worker_threads';
import { type PortableEncoder, WRITE_MEMBER } from './gzip-member.ts';

/** A block to encode, and where its member goes: both in memory that is shared, so that no copy becomes garbage. */
export interface GzipTask {
  readonly block: Uint8Array;
  readonly member: Uint8Array;
}

const name: PortableEncoder = workerData === 'fflate' ? 'fflate' : 'greedy';
const writeMember = WRITE_MEMBER[name];

// One task in, the member's length out, in order: whoever sends keeps count.
parentPort?.on('message', ({ block, member }: GzipTask) => {
  parentPort?.postMessage(writeMember(block, member));
});
