import { stripVTControlCharacters } from 'node:util';

/** A builder may write anything: without colours, and without what would move a terminal's cursor. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return stripVTControlCharacters(text.replace(/\r\n/g, '\n')).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
}

/** Nix's own message: from its first `error:` on, without the warnings and logs before it. */
export function nixMessage(stderr: string): string {
  const lines = stderr.trimEnd().split('\n');
  const first = lines.findIndex((line) => /^\s*error:/.test(line));
  const told = first < 0 ? lines.slice(-20) : lines.slice(first);
  const message = told.length > 60 ? [...told.slice(0, 10), '…', ...told.slice(-45)] : told;
  return message.join('\n').trim();
}

/** The derivation whose builder failed, as old and new releases of Nix put it. */
export function failedDerivation(stderr: string): string | null {
  const patterns = [
    /builder for '(\/nix\/store\/[^']+\.drv)' failed/,
    /Cannot build '(\/nix\/store\/[^']+\.drv)'/,
    /builder of '(\/nix\/store\/[^']+\.drv)' failed/,
    /hash mismatch in fixed-output derivation '(\/nix\/store\/[^']+\.drv)'/,
    /build of '(\/nix\/store\/[^'!^]+\.drv)[^']*'[^\n]* failed/,
  ];
  for (const pattern of patterns) {
    const found = pattern.exec(stderr)?.[1];
    if (found !== undefined) return found;
  }
  return null;
}

/** Absolute paths that Nix's message names as missing. */
export function missingPaths(message: string): readonly string[] {
  const paths: string[] = [];
  for (const line of message.split('\n')) {
    if (!/No such file or directory|does not exist|not found|cannot access/i.test(line)) continue;
    for (const [, path] of line.matchAll(/['"‘“](\/[^'"’”]+)['"’”]/g)) if (path !== undefined) paths.push(path);
    for (const [path] of line.matchAll(/(?<=[\s:])\/[^\s'":,]+/g)) paths.push(path);
  }
  return [...new Set(paths)].filter((path) => !path.startsWith('/nix/'));
}
