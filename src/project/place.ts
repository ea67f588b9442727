import type { Buildout } from '../buildout/read.ts';

/** `[section] option (file:line)`, for messages. */
export function placeOf(buildout: Buildout, section: string, option: string): string {
  const [origin] = buildout.origin(section, option);
  const name = `[${section}] ${option}`;
  if (origin === undefined) return name;
  return origin.line === null ? `${name} (${origin.file})` : `${name} (${origin.file}:${origin.line})`;
}
