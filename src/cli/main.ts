import { setFlagsFromString } from 'node:v8';
import { run } from './run.ts';

// V8 lets the young generation grow to 48 MB where there is much garbage, and a pack makes much; it is no faster for it.
setFlagsFromString('--semi-space-growth-factor=1');

// A reader that goes away (`oci-plone inspect … | head`) is not an error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await run(process.argv.slice(2), process);
