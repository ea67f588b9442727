import { OciPloneError } from '../index.ts';
import { didYouMean } from '../nearest-name.ts';
import type { Io } from './io.ts';
import { printable } from './printable.ts';

/** Set by `--debug` of whichever command runs, and asked for when it failed. */
export const DEBUG_FLAG = '--debug';

/** Writes an error to stderr and returns the exit code that goes with it. */
export function printError(error: unknown, io: Pick<Io, 'stderr' | 'env'>): number {
  const known = error instanceof OciPloneError;
  const code = known ? error.code : 'INTERNAL';
  const message = error instanceof Error ? error.message : String(error);
  const [bold, plain] = coloured(io) ? ['\u001b[1;31m', '\u001b[0m'] : ['', ''];
  io.stderr.write(`${bold}oci-plone: ${code}:${plain} ${printable(message)}\n`);
  if (known && error.hint !== '') io.stderr.write(`  ${printable(error.hint)}\n`);
  if (!known) io.stderr.write(`  This is a bug in oci-plone. ${DEBUG_FLAG} shows where it happened.\n`);
  if (process.argv.includes(DEBUG_FLAG) && error instanceof Error) io.stderr.write(`${printable(withCauses(error))}\n`);
  return known ? error.exitCode : 1;
}

/** https://no-color.org: any value but an empty one. */
export function coloured({ stderr, env }: Pick<Io, 'stderr' | 'env'>): boolean {
  return stderr.isTTY && (env['NO_COLOR'] ?? '') === '';
}

export function unknownCommand(name: string, known: readonly string[]): OciPloneError {
  return new OciPloneError('USAGE', `there is no command ${JSON.stringify(name)}${didYouMean(name, known)}`, {
    hint: `There are ${known.join(', ')}; oci-plone --help says more.`,
  });
}

function withCauses(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by ${withCauses(error.cause)}` : own;
}
