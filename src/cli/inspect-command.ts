import { type InspectResult, inspect } from '../index.ts';
import { COMMON_FLAGS, type Flag, parseFlags, usage } from './flags.ts';
import { commandHelp } from './help.ts';
import type { CommandContext } from './io.ts';
import { printable } from './printable.ts';
import { megabytes } from './show-progress.ts';

const FLAGS: readonly Flag[] = COMMON_FLAGS.filter(({ name }) => name !== 'quiet');

const HELP = commandHelp({
  usage: 'oci-plone inspect LAYOUT',
  summary: `LAYOUT is a layout's folder or an image archive; LAYOUT:TAG selects one of several references. Prints the
config, the layers, and the store paths that the image's own record names. No layer is read.`,
  flags: FLAGS,
  examples: [
    ['oci-plone inspect plone-env.oci', 'for people'],
    [`oci-plone inspect plone-env.oci --json | jq -r '.layers[].storePaths[].path'`, 'for programs'],
  ],
});

export async function inspectCommand({ argv, io, signal }: CommandContext): Promise<void> {
  const flags = parseFlags(argv, FLAGS);
  if (flags.has('help')) {
    io.stdout.write(HELP);
    return;
  }
  const [layout, ...more] = flags.positionals;
  if (layout === undefined || more.length > 0) throw usage(`inspect takes one layout, got ${flags.positionals.length}`);
  const result = await inspect({ layout, signal });
  io.stdout.write(flags.has('json') ? `${JSON.stringify(result)}\n` : text(result));
}

function text({ digest, size, tag, platform, created, config, sandbox, layers }: InspectResult): string {
  const rows: (readonly [string, string])[] = [
    ['digest', digest],
    ['tag', tag ?? '-'],
    ['platform', platform],
    ['created', created ?? '-'],
    ['size', megabytes(size)],
    ...Object.entries(config).map(([key, value]) => [key, brief(value)] as const),
    ...(sandbox === null ? [] : [['sandbox', sandbox] as const]),
  ];
  const width = Math.max(...rows.map(([key]) => key.length));
  const head = rows.map(([key, value]) => `${key.padEnd(width)}  ${value}`);
  return [...head, ...layers.flatMap(layerLines)].map((line) => `${printable(line)}\n`).join('');
}

function brief(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function layerLines(layer: InspectResult['layers'][number], number: number): string[] {
  const { digest, size, recipe, storePaths } = layer;
  return [
    '',
    `layer ${number + 1}  ${digest}  ${megabytes(size)}  ${recipe ?? 'of unknown make'}`,
    ...storePaths.map(({ path, narSize }) => `${(narSize === null ? '-' : megabytes(narSize)).padStart(10)}  ${path}`),
  ];
}
