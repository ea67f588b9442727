import { basename } from 'node:path';
import { OciPloneError } from '../../errors.ts';
import { definitions } from './definitions.ts';
import { byName, indent } from './lines.ts';
import { nixpkgsArgument } from './nixpkgs.ts';
import { comment } from './quote.ts';
import { eggResult, environmentResult, partsResult, shellResult } from './results.ts';
import type { Result } from './results.ts';
import type { ExpressionFile, ExpressionSet } from './working-set.ts';

const BUILDOUT = 'zc-buildout';

/**
 * The recipe's files, those that `outputs` names or all of them: `NAME.nix`, `NAME-env.nix`, and `NAME-<egg>.nix` for each
 * root. Each stands alone. Throws INPUT_MALFORMED and INPUT_REFUSED for what cannot be written, and for an output that is
 * none of them.
 */
export function writeExpressions(set: ExpressionSet): readonly ExpressionFile[] {
  const { name } = set;
  for (const stem of [name, ...set.roots.map((egg) => `${name}-${egg}`)]) checkName(stem);
  if (set.buildout !== null) needsBuildout(set);
  const candidates: readonly (readonly [file: string, what: string, result: () => Result])[] = [
    [`${name}.nix`, 'what the parts install', () => partsResult(set)],
    [`${name}-env.nix`, 'the environment', () => environmentResult(set)],
    ...[...new Set(set.roots)]
      .sort(byName)
      .map((egg) => [`${name}-${egg}.nix`, `the package ${egg}`, () => eggResult(checkRoot(set, egg), egg)] as const),
  ];
  const chosen = choose(
    candidates.map(([file]) => file),
    set.outputs,
  );
  const shared = definitions(set);
  return candidates
    .filter(([file]) => chosen.has(file))
    .map(([file, what, result]) => ({ name: file, text: fileText(set, what, shared, result()) }));
}

/** `default.nix`: a shell with the environment and zc.buildout. Throws as `writeExpressions` does. */
export function shellExpression(set: ExpressionSet): ExpressionFile {
  needsBuildout(set);
  return { name: 'default.nix', text: fileText(set, 'a shell', definitions(set), shellResult(set)) };
}

function fileText(set: ExpressionSet, what: string, shared: readonly string[], result: Result): string {
  const own = result.definitions.length === 0 ? [] : ['', ...result.definitions];
  const lines = [
    comment(`Written by ${set.writtenBy} from ${set.writtenFrom}: ${what}. Changes are lost when it is written again.`),
    ...nixpkgsArgument(set.nixpkgs),
    'let',
    ...indent([...shared, ...own]),
    'in',
    ...result.value,
  ];
  return `${lines.join('\n')}\n`;
}

/** Which files are asked for. Buildouts of the recipe's time write an egg as `plone-Products_CMFPlone.nix`. */
function choose(files: readonly string[], outputs: readonly string[]): ReadonlySet<string> {
  const twice = files.find((file, index) => files.indexOf(file) !== index);
  if (twice !== undefined) {
    throw new OciPloneError('INPUT_MALFORMED', `two files would be called ${twice}`, {
      hint: 'Give the part another name by its option name.',
    });
  }
  if (outputs.length === 0) return new Set(files);
  const known = new Map(files.map((file) => [sameSpelling(file), file]));
  return new Set(
    outputs.map((output) => {
      const file = known.get(sameSpelling(basename(output)));
      if (file !== undefined) return file;
      throw new OciPloneError('INPUT_MALFORMED', `${output} is not among the files of this part: ${files.join(', ')}`);
    }),
  );
}

function sameSpelling(file: string): string {
  return file.toLowerCase().replace(/[-_. [\]]+/g, '-');
}

function checkName(name: string): void {
  if (/^[^./\p{Cc}\p{Surrogate}][^/\p{Cc}\p{Surrogate}]*$/u.test(name)) return;
  throw new OciPloneError('INPUT_MALFORMED', `${JSON.stringify(name)} cannot be the name of a file`);
}

function checkRoot(set: ExpressionSet, egg: string): ExpressionSet {
  if (set.fromNixpkgs.has(egg) || set.packages.some(({ name }) => name === egg)) return set;
  throw new OciPloneError('INPUT_MALFORMED', `${egg} is asked for and is not in the working set`);
}

function needsBuildout(set: ExpressionSet): void {
  if (set.fromNixpkgs.has(BUILDOUT) || set.packages.some(({ name }) => name === BUILDOUT)) return;
  throw new OciPloneError('INPUT_MALFORMED', `zc.buildout is not in the working set of ${set.name}`, {
    hint: 'Add zc.buildout to the eggs of the part.',
  });
}
