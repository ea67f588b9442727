import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { OnProgress } from '../index.ts';

/** Uncompressed bytes of a layer or an archive that go by between two looks at the memory in use. */
const BYTES_BETWEEN = 16 * 1024 * 1024;

/** What the process may use before garbage is looked for, in bytes. */
const ENOUGH_BYTES = 112 * 1024 * 1024;

/** What must have gathered for the next collection: the rest may be what the work needs. */
const WORTH_BYTES = 4 * 1024 * 1024;

/** What is worth a look at what is old, too, which takes ten times as long: buffers die young. */
const MUCH_BYTES = 16 * 1024 * 1024;

/**
 * Collects garbage as work goes on, which keeps the peak of memory where the work needs it: V8 by itself lets tens of
 * megabytes gather before it looks at all, more of them the longer it waits for an encoder.
 */
export function collectingGarbage(onProgress: OnProgress, enough: number = ENOUGH_BYTES): OnProgress {
  let next = BYTES_BETWEEN;
  let least = held(memoryUsage());
  let collect: Collector | null = null;
  let last = 0;
  return (event) => {
    if (event.kind === 'pack' || event.kind === 'read') {
      const bytes = event.kind === 'read' ? event.uncompressed : event.bytes;
      // Counted anew: what was read is packed, or an archive is read again.
      if (bytes < last) next = BYTES_BETWEEN;
      last = bytes;
      if (bytes >= next) {
        next = bytes + BYTES_BETWEEN;
        const usage = memoryUsage();
        const now = held(usage);
        least = Math.min(least, now);
        if (usage.rss > enough && now > least + WORTH_BYTES) {
          collect ??= collector();
          if (now <= least + MUCH_BYTES) collect(YOUNG);
          else {
            collect();
            least = held(memoryUsage());
          }
        }
      }
    }
    onProgress(event);
  };
}

/** Bytes that V8 holds, garbage included; of what is external it hears late that it was freed. */
function held({ heapUsed, arrayBuffers }: NodeJS.MemoryUsage): number {
  return heapUsed + arrayBuffers;
}

const YOUNG = { type: 'minor' } as const;

/** Everything, or what is young only. */
type Collector = (...what: readonly (typeof YOUNG)[]) => void;

/** V8's own function, which is not there unless it is asked for. */
function collector(): Collector {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  return (...what) => {
    if (typeof gc === 'function') gc(...what);
  };
}
