import type { Buildout } from '../buildout/read.ts';

/**
 * The resolved sections of some parts as a buildout file of their own, which `<name>.nix` runs; null where there are none.
 * Values that begin a line after their name keep their indentation when they are read (zc.buildout's dedent). The buildout's
 * folder becomes `${buildout:directory}` again: there it is the output's.
 */
export function buildoutText(buildout: Buildout, parts: readonly string[]): string | null {
  if (parts.length === 0) return null;
  const sections = parts.map((part) => {
    const options = [...buildout.section(part)].map(([name, value]) =>
      optionText(name, withoutFolder(value, buildout.directory)),
    );
    return `[${part}]\n${options.join('')}`;
  });
  return [`[buildout]\nparts = ${parts.join(' ')}\n`, ...sections].join('\n');
}

function optionText(name: string, value: string): string {
  if (!value.includes('\n')) return `${name} = ${value}\n`;
  const indented = value.split('\n').map((line) => (line === '' ? '' : `    ${line}`));
  return `${name} =\n${indented.join('\n')}\n`;
}

/** On the boundaries of paths: `/home/u/plone` is not in `/home/u/plone2`. */
function withoutFolder(value: string, directory: string): string {
  const literal = directory.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return value.replace(new RegExp(`(?<![\\w./-])${literal}(?![\\w.-])`, 'g'), () => '${buildout:directory}');
}
