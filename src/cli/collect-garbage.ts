import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { OnProgress } from '../index.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

/** Bytes of a layer or an archive that go by between two collections: a hundredth of the time that packing them takes. */
const BYTES_BETWEEN = 16 * 1024 * 1024;

/**
 * Collects garbage as work goes on, which keeps the peak of memory where the work needs it: V8 by itself lets tens of
 * megabytes gather before it looks at all, more of them the longer it waits for an encoder.
 */
export function collectingGarbage(onProgress: OnProgress): OnProgress {
  const collect = collector();
  let next = BYTES_BETWEEN;
  let kind = '';
  return (event) => {
    if (event.kind === 'pack' || event.kind === 'read') {
      if (event.kind !== kind) next = BYTES_BETWEEN;
      kind = event.kind;
      if (event.bytes >= next) {
        next = event.bytes + BYTES_BETWEEN;
        keepYoungGenerationSmall();
        collect();
      }
    }
    onProgress(event);
  };
}

/** V8's own function, which is not there unless it is asked for. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  return () => {
    if (typeof gc === 'function') gc();
  };
}
