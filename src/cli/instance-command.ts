import { type InstanceResult, instance } from '../index.ts';
import { COMMON_FLAGS, type Flag, parseFlags, usage } from './flags.ts';
import { commandHelp } from './help.ts';
import type { CommandContext } from './io.ts';
import { printable } from './printable.ts';

const FLAGS: readonly Flag[] = [
  { name: 'output', short: 'o', value: 'FOLDER', help: 'write a copy there; default: ./DIR.instance' },
  { name: 'in-place', help: 'rewrite DIR itself, and keep what was there as *.orig' },
  { name: 'dry-run', short: 'n', help: 'write nothing, print a unified diff' },
  { name: 'mount', value: 'PATH', help: 'where the container has the folder; default: /opt' },
  { name: 'part', value: 'NAME', help: 'the name of the instance; default: instance' },
  ...COMMON_FLAGS.map((flag) =>
    flag.name === 'json' ? { ...flag, help: 'print one JSON document instead of the folder' } : flag,
  ).filter(({ name }) => name !== 'quiet'),
];

const HELP = commandHelp({
  usage: 'oci-plone instance DIR [-o OUTPUT | --in-place] [--mount /opt]',
  summary: `DIR is a buildout's folder with parts/instance. Makes it fit for a container that has it mounted: zope.conf, wsgi.ini
and ZCML with the container's paths, no site.py, the folders that Zope needs, and instance.py to start it. What is not
mapped is reported on stderr. Prints the folder.`,
  flags: FLAGS,
  examples: [
    ['oci-plone instance . -o plone.instance', 'a copy of what the instance needs, to mount at /opt'],
    ['oci-plone instance . --in-place', 'the folder itself, to mount at /opt'],
    ['oci-plone instance . --dry-run', 'what would be changed'],
  ],
});

export async function instanceCommand({ argv, io, signal }: CommandContext): Promise<void> {
  const flags = parseFlags(argv, FLAGS);
  if (flags.has('help')) {
    io.stdout.write(HELP);
    return;
  }
  const [folder, ...more] = flags.positionals;
  if (folder === undefined || more.length > 0)
    throw usage(`instance takes one folder, got ${flags.positionals.length}`);
  if (flags.has('in-place') && flags.has('output')) throw usage('--in-place and --output exclude each other');
  const result = await instance({
    folder,
    output: flags.one('output'),
    inPlace: flags.has('in-place'),
    dryRun: flags.has('dry-run'),
    mount: flags.one('mount'),
    part: flags.one('part'),
    signal,
  });
  for (const line of reports(result)) io.stderr.write(`${printable(line)}\n`);
  if (flags.has('json')) io.stdout.write(`${JSON.stringify(result)}\n`);
  else if (result.diff === null) io.stdout.write(`${result.folder}\n`);
  // For patch every byte counts; a terminal is shown what it can show.
  else io.stdout.write(io.stdout.isTTY ? printable(result.diff) : result.diff);
}

function reports({ warnings, leftovers, backups }: InstanceResult): readonly string[] {
  const at = (file: string, line: number | null): string => (line === null ? file : `${file}:${line}`);
  return [
    ...backups.map((path) => `note: kept as ${path}`),
    ...warnings.map(({ file, line, text }) => `warning: ${at(file, line)}: ${text}`),
    ...leftovers.map(({ file, line, path }) => `leftover: ${at(file, line)}: ${path} is not in the container`),
  ];
}
