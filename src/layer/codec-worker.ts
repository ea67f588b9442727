import { parentPort, workerData } from 'node:worker_threads';
import { loadCodec } from './codec.ts';
import { type CodecTask, type CodecThread, DONE, STARTED, TAKEN_BACK, UP, begin } from './codec-thread.ts';

const { codec: name, state }: CodecThread = workerData;
const codec = await loadCodec(name);

Atomics.store(state, STARTED, 1);
parentPort?.postMessage(UP);
// Then one task in, the output's length out, in order: whoever sends keeps count.
let task = 0;
parentPort?.on('message', ({ input, output }: CodecTask) => {
  const length = begin(state, task++) ? codec.run(input, output) : TAKEN_BACK;
  Atomics.add(state, DONE, 1);
  parentPort?.postMessage(length);
});
