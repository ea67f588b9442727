import { readFile, stat } from 'node:fs/promises';
import { OciPloneError } from '../errors.ts';
import { failedDerivation, missingPaths, nixMessage, printable } from './message.ts';
import { isWithin } from './paths.ts';
import { throwIfSandboxFailed } from './probe.ts';
import type { Ended } from './run.ts';
import type { Session } from './runner.ts';
import type { Shown } from './shown.ts';
import { logFile } from './store.ts';

const LAST_LINES = 20;

/** The error for a program of Nix that did not succeed: NIX_FAILED with Nix's own message. */
export async function nixFailed(session: Session, ended: Ended, shown: readonly Shown[]): Promise<OciPloneError> {
  throwIfSandboxFailed(session, ended);
  const message = nixMessage(ended.stderr) || `Nix ended with exit code ${ended.code}`;
  const derivation = failedDerivation(ended.stderr);
  if (derivation === null) {
    return new OciPloneError('NIX_FAILED', message, { hint: hintFor(session, message, shown) });
  }
  const file = logFile(session.store, derivation);
  const log = await lastLines(file);
  if (log !== null) {
    return new OciPloneError('NIX_FAILED', `building ${derivation} failed; the end of its log:\n${log}\n${message}`, {
      hint: `The whole log is in ${file}`,
    });
  }
  const packed = `${file}.bz2`;
  const hint = (await stat(packed).catch(() => null)) === null ? '' : `The whole log is in ${packed}`;
  const end = ended.stderr.trimEnd().split('\n').slice(-LAST_LINES).join('\n');
  return new OciPloneError('NIX_FAILED', `building ${derivation} failed:\n${end}`, { hint });
}

async function lastLines(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : printable(text).trimEnd().split('\n').slice(-LAST_LINES).join('\n');
}

/** What to do about messages of Nix that say it in its own terms alone. */
const HINTS: readonly (readonly [message: RegExp, hint: string])[] = [
  [
    /file 'nixpkgs' was not found/,
    'Say where nixpkgs is: -I nixpkgs=FOLDER, the variable NIX_PATH, or --nixpkgs URL#HASH with a buildout.',
  ],
  [
    /attribute 'python\d+' missing/,
    'This nixpkgs has another Python: name its full version with --python; without that, a buildout’s lock says which.',
  ],
];

/** Names --show where Nix missed a path that is there outside of the sandbox, and may be shown. */
function hintFor(session: Session, message: string, shown: readonly Shown[]): string {
  const known = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  if (known !== undefined) return known;
  if (session.programs.bubblewrap === null) return '';
  for (const path of missingPaths(message)) {
    if ([...session.shown, ...shown].some((one) => isWithin(path, one.path))) continue;
    const folder = session.judge.folderToShow(path);
    if (folder !== null) return `The sandbox does not show ${path}: add --show ${folder}`;
  }
  return '';
}
