import type { Flag } from './flags.ts';

export const GENERAL_HELP = `oci-plone: from a buildout, a Nix expression or its tarball to an OCI image that runs

  oci-plone pack INPUT [-o OUTPUT] [--push REFERENCE]   make an image
  oci-plone nix BUILDOUT [PART] [-o FOLDER]             write a buildout's Nix expressions and lock
  oci-plone buildout show BUILDOUT [SECTION]            say what a buildout resolves to
  oci-plone push LAYOUT REFERENCE…                      push an image to registries
  oci-plone inspect LAYOUT                              say what is in an image
  oci-plone instance DIR [-o OUTPUT]                    make a buildout's instance fit for a container

  oci-plone COMMAND --help   every flag of a command
  oci-plone --version

Exit codes: 0 done, 1 a bug, 2 usage, 3 bad input, 4 Nix failed, 5 authentication, 6 registry or network,
7 digest mismatch, 8 sandbox not available, 9 local files, 130 and 143 stopped by a signal.
`;

export interface CommandHelp {
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly (readonly [command: string, what: string])[];
}

export function commandHelp({ usage, summary, flags, examples }: CommandHelp): string {
  const left = flags.map(({ name, short, value }) => {
    const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
    return short === undefined ? `    ${long}` : `-${short}, ${long}`;
  });
  const width = Math.max(...left.map((text) => text.length));
  const lines = flags.map(({ help }, index) => `  ${(left[index] ?? '').padEnd(width)}  ${help}`);
  const shown = examples.map(([command, what]) => `  # ${what}\n  ${command}`);
  return `${usage}\n\n${summary}\n\n${lines.join('\n')}\n\nExamples:\n${shown.join('\n')}\n`;
}
