import { isAbsolute } from 'node:path';
import { CHOICES, type PackOptions, exportTarball, pack } from '../index.ts';
import {
  EVALUATION_FLAGS,
  READING_FLAGS,
  RESOLVING_FLAGS,
  evaluationChoices,
  readingChoices,
  resolvingChoices,
  splitOverrides,
} from './buildout-flags.ts';
import { collectingGarbage } from './collect-garbage.ts';
import { compileLate } from './compile-late.ts';
import { COMMON_FLAGS, type Flag, type Parsed, numberOf, choiceOf, parseFlags, usage, wordsOf } from './flags.ts';
import { commandHelp } from './help.ts';
import type { CommandContext } from './io.ts';
import { megabytes, showProgress } from './show-progress.ts';
import { shownPath } from './shown-path.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'output',
    short: 'o',
    value: 'PATH',
    help: 'layout folder; *.tar: OCI and docker archive; *.nix.tar[.gz]: tarball',
  },
  { name: 'tag', short: 't', value: 'TAG', help: 'the reference inside the output (latest)' },
  { name: 'push', value: 'REF', many: true, help: 'push to HOST[:PORT]/NAME[:TAG]; without -o no layout is kept' },
  { name: 'insecure-registry', value: 'HOST', many: true, help: 'speak http to this HOST[:PORT]' },
  { name: 'attr', short: 'A', value: 'ATTR', help: 'attribute of the expression' },
  { name: 'arg', value: 'NAME EXPR', many: true, help: 'argument of the expression' },
  { name: 'argstr', value: 'NAME TEXT', many: true, help: 'argument of the expression, as a string' },
  ...EVALUATION_FLAGS,
  { name: 'check-store', help: 'compare every store path with the hash that the store has of it' },
  { name: 'offline', help: 'cut the network off while Nix runs' },
  { name: 'entrypoint', value: 'WORDS', help: 'a program, or a JSON list (/app/bin/python)' },
  { name: 'cmd', value: 'WORDS', help: 'an argument, or a JSON list' },
  { name: 'env', short: 'e', value: 'NAME=VALUE', many: true, help: 'environment of the container' },
  { name: 'workdir', value: 'PATH', help: 'where the program starts' },
  { name: 'user', value: 'USER', help: 'who runs it (1000)' },
  { name: 'port', value: 'PORT', many: true, help: 'exposed port (8080/tcp)' },
  { name: 'volume', value: 'PATH', many: true, help: 'folder for data; the image has it, owned by its user' },
  { name: 'stop-signal', value: 'SIGNAL', help: 'what stops it' },
  { name: 'label', value: 'NAME=VALUE', many: true, help: "a label of the image's config" },
  { name: 'annotation', value: 'NAME=VALUE', many: true, help: "an annotation of the image's manifest" },
  { name: 'platform', value: 'OS/ARCH', help: "what it runs on (default: what the entrypoint's program header says)" },
  {
    name: 'no-default',
    value: 'NAME',
    many: true,
    help: 'leave out: tmp, passwd, home, path, certificates, ports, user, volumes',
  },
  { name: 'layers', value: 'HOW', help: 'one (default), or verbatim: keep a .tar.gz as the layer, byte for byte' },
  { name: 'encoder', value: 'NAME', help: 'libdeflate (default) or fflate, the same bytes everywhere; or zlib' },
  { name: 'compression', value: 'NAME', help: 'gzip (default) or zstd (Node 22.15 or later)' },
  {
    name: 'image',
    value: 'SECTION',
    help: 'of a buildout: the section with "recipe = oci-plone", where there are several',
  },
  { name: 'instance', value: 'SECTION', help: 'of a buildout: the instance to bake in, where there are several' },
  { name: 'no-instance', help: 'of a buildout: pack the environment alone' },
  { name: 'bake-user', help: 'of a buildout: its own admin password goes into the image, too; for demonstrations' },
  ...READING_FLAGS,
  ...RESOLVING_FLAGS,
  { name: 'max-entries', value: 'N', help: 'refuse an archive of more entries' },
  { name: 'max-bytes', value: 'N', help: 'refuse an archive of more bytes, uncompressed' },
  { name: 'max-ratio', value: 'N', help: 'refuse an archive that unpacks to more than this for each byte' },
  ...COMMON_FLAGS,
];

const HELP = commandHelp({
  usage:
    'oci-plone pack INPUT [-o OUTPUT] [--push REFERENCE]\noci-plone pack BUILDOUT [PART] [SECTION:OPTION=VALUE…] [-o OUTPUT] [--push REFERENCE]',
  summary: `INPUT is a buildout (*.cfg), a Nix expression (*.nix), a store path or a link to one, a tarball (tar, gzip, zstd)
that holds /nix, or - for a tarball on standard input. A section of the buildout with "recipe = oci-plone" sets what flags
do not. Prints the image's digest.`,
  flags: FLAGS,
  examples: [
    ['oci-plone pack buildout.cfg', 'resolve, build, and write ./NAME.oci by the name of the part'],
    ['oci-plone pack plone-env.nix', 'build, and write ./plone-env.oci'],
    ['oci-plone pack plone-env.nix --push registry.example.org/plone:6.2', 'build and push, keep nothing'],
    ['oci-plone pack plone-env.nix.tar.gz -o plone.tar && docker load -i plone.tar', 'from a ready tarball, to Docker'],
    [`oci-plone pack result --cmd '["-m","webapp"]'`, 'from what nix-build left, with arguments'],
  ],
});

export async function packCommand({ argv, io, signal }: CommandContext): Promise<void> {
  const flags = parseFlags(argv, FLAGS);
  if (flags.has('help')) {
    io.stdout.write(HELP);
    return;
  }
  const [input, ...rest] = flags.positionals;
  const { names, overrides } = splitOverrides(rest);
  const [part, ...more] = names;
  const isOne = input?.endsWith('.cfg') === true ? more.length === 0 : rest.length === 0;
  if (input === undefined || !isOne) throw usage(`pack takes one input, got ${flags.positionals.length}`);
  const progress = showProgress(io, flags.has('quiet'));
  const options = {
    ...packOptions(flags),
    ...readingChoices(flags),
    ...resolvingChoices(flags),
    ...evaluationChoices(flags),
    part,
    overrides,
    image: flags.one('image'),
    instance: instanceOf(flags),
    bakeUser: flags.has('bake-user'),
    input: input === '-' ? io.stdin : input,
    env: io.env,
    signal,
    onProgress: collectingGarbage(progress.onProgress),
  };
  // The one encoder that is JavaScript from end to end.
  if (options.encoder !== 'fflate') compileLate();
  const { output } = options;
  try {
    if (output !== undefined && /\.nix\.tar(\.gz)?$/.test(output)) {
      for (const name of IMAGE_ONLY)
        if (flags.has(name)) throw usage(`--${name} is for an image, and ${output} is a tarball`);
      const result = await exportTarball({ ...options, output });
      progress.end();
      io.stdout.write(flags.has('json') ? `${JSON.stringify(result)}\n` : `${result.digest}\n`);
      return;
    }
    const result = await pack(options);
    progress.end();
    if (!flags.has('quiet')) io.stderr.write(`${result.unchanged ? 'unchanged' : 'packed'}: ${summary(result)}\n`);
    io.stdout.write(flags.has('json') ? `${JSON.stringify(result)}\n` : `${result.digest}\n`);
  } finally {
    progress.end();
  }
}

function instanceOf(flags: Parsed): string | false | undefined {
  const name = flags.one('instance');
  if (!flags.has('no-instance')) return name;
  if (name !== undefined) throw usage('--instance and --no-instance exclude each other');
  return false;
}

/** Flags that would be without effect where the output is the tarball in the middle. */
const IMAGE_ONLY = ['push', 'tag', 'compression', 'layers'] as const;

function summary({ layers, size, references }: Awaited<ReturnType<typeof pack>>): string {
  const paths = layers.reduce((sum, { storePaths }) => sum + storePaths.length, 0);
  const places = references.map((reference) => (isAbsolute(reference) ? shownPath(reference) : reference));
  return `${paths} store path${paths === 1 ? '' : 's'}, ${megabytes(size)}, ${places.join(' ')}`;
}

/** What the flags say, in the library's terms; what no flag says is left to the library's defaults. */
function packOptions(flags: Parsed): Omit<PackOptions, 'input'> {
  const limits = {
    entries: numberOf('max-entries', flags.one('max-entries')),
    bytes: numberOf('max-bytes', flags.one('max-bytes')),
    ratio: numberOf('max-ratio', flags.one('max-ratio')),
  };
  return {
    output: flags.one('output'),
    tag: flags.one('tag'),
    attribute: flags.one('attr'),
    entrypoint: wordsOf('entrypoint', flags.one('entrypoint')),
    cmd: wordsOf('cmd', flags.one('cmd')),
    workdir: flags.one('workdir'),
    user: flags.one('user'),
    stopSignal: flags.one('stop-signal'),
    platform: flags.one('platform'),
    ports: flags.has('port') ? flags.all('port') : undefined,
    layers: choiceOf('layers', flags.one('layers'), CHOICES.layers),
    encoder: choiceOf('encoder', flags.one('encoder'), CHOICES.encoder),
    compression: choiceOf('compression', flags.one('compression'), CHOICES.compression),
    push: flags.all('push'),
    insecureRegistries: flags.all('insecure-registry'),
    args: Object.fromEntries(flags.pairs('arg')),
    argstrs: Object.fromEntries(flags.pairs('argstr')),
    offline: flags.has('offline'),
    checkStore: flags.has('check-store'),
    environment: flags.all('env'),
    volumes: flags.all('volume'),
    labels: Object.fromEntries(flags.pairs('label')),
    annotations: Object.fromEntries(flags.pairs('annotation')),
    without: flags
      .all('no-default')
      .flatMap((names) => names.split(','))
      .flatMap((name) => choiceOf('no-default', name, CHOICES.without) ?? []),
    limits,
  };
}
