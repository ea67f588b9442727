import { type ExpressionResult, writeExpressions } from '../index.ts';
import {
  EVALUATION_FLAGS,
  READING_FLAGS,
  RESOLVING_FLAGS,
  buildoutArguments,
  evaluationChoices,
  readingChoices,
  resolvingChoices,
} from './buildout-flags.ts';
import { COMMON_FLAGS, type Flag, parseFlags } from './flags.ts';
import { commandHelp } from './help.ts';
import type { CommandContext, Io } from './io.ts';
import { showProgress } from './show-progress.ts';
import { shownPath } from './shown-path.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'output',
    short: 'o',
    value: 'FOLDER',
    help: "where the expressions go (the part's prefix, else the buildout's folder)",
  },
  { name: 'shell', help: 'also write default.nix: a shell with the environment and zc.buildout' },
  { name: 'force', help: 'overwrite files that oci-plone did not write' },
  { name: 'check', help: 'write nothing; fail where the lock or the expressions are not what they would be' },
  ...READING_FLAGS,
  ...RESOLVING_FLAGS,
  { name: 'allow-missing', help: 'pass over what no index has, and say so' },
  { name: 'offline', help: 'ask nothing of the network' },
  ...EVALUATION_FLAGS,
  ...COMMON_FLAGS.map((flag) =>
    flag.name === 'json' ? { ...flag, help: 'print one JSON document instead of the names of the files' } : flag,
  ),
];

const HELP = commandHelp({
  usage: 'oci-plone nix BUILDOUT [PART] [-o FOLDER] [SECTION:OPTION=VALUE…]',
  summary: `Resolves the eggs of the part with "recipe = collective.recipe.nix" (else of the one instance), and writes
NAME.nix, NAME-env.nix and NAME-EGG.nix, and BUILDOUT.lock.json beside the buildout. With a lock that still belongs to
the buildout no index is asked. Prints the names of the expressions.`,
  flags: FLAGS,
  examples: [
    ['oci-plone nix buildout.cfg', "the article's plone.nix, plone-env.nix and plone-*.nix"],
    ['oci-plone nix buildout.cfg --index wheels --offline', 'from a folder of wheels'],
    ['oci-plone nix buildout.cfg --upgrade plone.restapi', 'one egg, if it is not pinned, to its newest version'],
    ['oci-plone nix buildout.cfg --check', 'in CI: is what is committed still what the buildout says?'],
  ],
});

export async function nixCommand({ argv, io, signal }: CommandContext): Promise<void> {
  const flags = parseFlags(argv, FLAGS);
  if (flags.has('help')) {
    io.stdout.write(HELP);
    return;
  }
  const { file, name: part, overrides } = buildoutArguments('nix', 'part', flags.positionals);
  const progress = showProgress(io, flags.has('quiet'));
  try {
    const result = await writeExpressions({
      file,
      part,
      overrides,
      ...readingChoices(flags),
      ...resolvingChoices(flags),
      ...evaluationChoices(flags),
      output: flags.one('output'),
      shell: flags.has('shell'),
      force: flags.has('force'),
      check: flags.has('check'),
      allowMissing: flags.has('allow-missing'),
      offline: flags.has('offline') ? true : undefined,
      env: io.env,
      signal,
      onProgress: progress.onProgress,
    });
    progress.end();
    printChanges(result.changes, flags.words('upgrade') !== undefined, io);
    if (!flags.has('quiet')) io.stderr.write(`${summary(result, flags.has('check'))}\n`);
    io.stdout.write(
      flags.has('json') ? `${JSON.stringify(result)}\n` : result.files.map((path) => `${shownPath(path)}\n`).join(''),
    );
  } finally {
    progress.end();
  }
}

/** `old → new`: what an upgrade was asked for; elsewhere only versions that moved, since all are new at first. */
export function printChanges(changes: ExpressionResult['changes'], all: boolean, { stderr }: Pick<Io, 'stderr'>): void {
  const told = changes.filter(({ from }) => all || from !== null);
  for (const { name, from, to } of told) stderr.write(`${name} ${from ?? '(none)'} → ${to ?? '(none)'}\n`);
}

function summary({ distributions, python, files, lock, missing }: ExpressionResult, isCheck: boolean): string {
  const lacking = missing.length === 0 ? '' : `, ${missing.length} missing`;
  const done = isCheck ? 'up to date' : 'written';
  return `${done}: ${distributions} distributions for Python ${python}${lacking}, ${files.length} expressions, ${shownPath(lock)}`;
}
