import { parentPort } from 'node:worker_threads';
import { gzipMember } from './gzip-member.ts';

// One block in, one member out, in order: whoever sends keeps count.
parentPort?.on('message', (block: Uint8Array) => {
  const member = gzipMember(block);
  parentPort?.postMessage(member, [member.buffer]);
});
