import { type ShownBuildout, type ShownOption, type ShownSection, showBuildout } from '../index.ts';
import {
  EVALUATION_FLAGS,
  READING_FLAGS,
  buildoutArguments,
  evaluationChoices,
  readingChoices,
} from './buildout-flags.ts';
import { COMMON_FLAGS, type Flag, parseFlags, usage } from './flags.ts';
import { commandHelp } from './help.ts';
import type { CommandContext } from './io.ts';
import { printError } from './print-error.ts';
import { showProgress } from './show-progress.ts';

const FLAGS: readonly Flag[] = [
  ...READING_FLAGS,
  { name: 'offline', help: 'fetch nothing: what is extended comes out of extends-cache' },
  ...EVALUATION_FLAGS,
  ...COMMON_FLAGS.map((flag) => (flag.name === 'json' ? { ...flag, help: 'print {section: {option: value}}' } : flag)),
];

const HELP = commandHelp({
  usage: 'oci-plone buildout show BUILDOUT [SECTION] [SECTION:OPTION=VALUE…]',
  summary: `Prints the sections of a buildout as zc.buildout resolves them, each value with where it comes from. Without SECTION
every section is resolved; those that cannot be are told on standard error, and the exit code is 3.`,
  flags: FLAGS,
  examples: [
    ['oci-plone buildout show buildout.cfg', 'for people'],
    [`oci-plone buildout show buildout.cfg versions --json | jq -r '.versions.Plone'`, 'for programs'],
    ['oci-plone buildout show buildout.cfg instance instance:http-address=8081', "as on zc.buildout's command line"],
  ],
});

export async function buildoutCommand({ argv, io, signal }: CommandContext): Promise<void> {
  const flags = parseFlags(argv, FLAGS);
  if (flags.has('help')) {
    io.stdout.write(HELP);
    return;
  }
  const [verb, ...rest] = flags.positionals;
  if (verb !== 'show') throw usage(`buildout has one command, show, got ${JSON.stringify(verb ?? '')}`);
  const { file, name: section, overrides } = buildoutArguments('buildout show', 'section', rest);
  const progress = showProgress(io, flags.has('quiet'));
  try {
    const result = await showBuildout({
      file,
      section,
      overrides,
      ...readingChoices(flags),
      ...evaluationChoices(flags),
      offline: flags.has('offline') ? true : undefined,
      env: io.env,
      signal,
      onProgress: progress.onProgress,
    });
    progress.end();
    io.stdout.write(flags.has('json') ? `${JSON.stringify(document(result))}\n` : text(result));
    const [first, ...others] = result.failures;
    if (first === undefined) return;
    // The last one ends the command, with its code.
    for (const failure of [first, ...others].slice(0, -1)) printError(failure, io);
    throw others.at(-1) ?? first;
  } finally {
    progress.end();
  }
}

function document({ sections }: ShownBuildout): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return Object.fromEntries(
    sections.map(({ name, options }) => [
      name,
      Object.fromEntries(options.map((option) => [option.name, option.value])),
    ]),
  );
}

function text({ sections }: ShownBuildout): string {
  return sections.map(sectionText).join('\n');
}

function sectionText({ name, options }: ShownSection): string {
  const heads = options.map(({ name: option, value }) => `${option} = ${value.split('\n')[0] ?? ''}`.trimEnd());
  const width = Math.min(60, Math.max(0, ...heads.map((head) => head.length)));
  const lines = options.flatMap((option, index) => {
    const [, ...more] = option.value.split('\n');
    return [`${(heads[index] ?? '').padEnd(width)}  # ${places(option)}`, ...more.map((line) => `    ${line}`)];
  });
  return [`[${name}]`, ...lines].map((line) => `${line}\n`).join('');
}

function places({ origins }: ShownOption): string {
  if (origins.length === 0) return 'computed';
  return origins.map(({ file, line }) => (line === null ? file : `${file}:${line}`)).join(', ');
}
