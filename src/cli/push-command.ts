import { push } from '../index.ts';
import { COMMON_FLAGS, type Flag, parseFlags, usage } from './flags.ts';
import { commandHelp } from './help.ts';
import type { CommandContext } from './io.ts';
import { showProgress } from './show-progress.ts';

const FLAGS: readonly Flag[] = [
  { name: 'insecure-registry', value: 'HOST', many: true, help: 'speak http to this HOST[:PORT]' },
  ...COMMON_FLAGS,
];

const HELP = commandHelp({
  usage: 'oci-plone push LAYOUT REFERENCE…',
  summary: `LAYOUT is a layout's folder or an image archive; LAYOUT:TAG selects one of several references. A REFERENCE is
HOST[:PORT]/NAME[:TAG]. Credentials are those of docker login and podman login. Prints the image's digest.`,
  flags: FLAGS,
  examples: [
    ['oci-plone push plone-env.oci registry.example.org/plone:6.2', 'one reference'],
    ['oci-plone push plone-env.oci:latest localhost:5000/plone:a localhost:5000/plone:b', 'two, the blobs once'],
  ],
});

export async function pushCommand({ argv, io, signal }: CommandContext): Promise<void> {
  const flags = parseFlags(argv, FLAGS);
  if (flags.has('help')) {
    io.stdout.write(HELP);
    return;
  }
  const [layout, ...references] = flags.positionals;
  if (layout === undefined || references.length === 0) throw usage('push takes a layout and at least one reference');
  const progress = showProgress(io, flags.has('quiet'));
  try {
    const result = await push({
      layout,
      references,
      insecureRegistries: flags.all('insecure-registry'),
      env: io.env,
      signal,
      onProgress: progress.onProgress,
    });
    progress.end();
    io.stdout.write(flags.has('json') ? `${JSON.stringify(result)}\n` : `${result.digest}\n`);
  } finally {
    progress.end();
  }
}
