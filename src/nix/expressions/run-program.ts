import { nixpkgsArgument } from './nixpkgs.ts';
import { comment, nixString } from './quote.ts';
import type { ExpressionFile, ExpressionSet } from './working-set.ts';

export interface ProgramRun extends Pick<ExpressionSet, 'writtenBy' | 'writtenFrom' | 'nixpkgs'> {
  /** Of the file, and of what it makes: `plone-instance`. */
  readonly name: string;
  /** Beside this one: the file of an environment, the program, and the files and folders that it is given. */
  readonly environment: string;
  readonly program: string;
  readonly arguments: readonly string[];
}

/**
 * An expression of what a Python program makes: it runs in an environment as `python PROGRAM $out ARGUMENT…`. The attribute
 * `environment` is another environment, for whoever wants both from one evaluation.
 */
export function programExpression(run: ProgramRun, other: string): ExpressionFile {
  const beside = (file: string): string => `(./. + ${nixString(`/${file}`)})`;
  const lines = [
    comment(`Written by ${run.writtenBy} from ${run.writtenFrom}. Changes are lost when it is written again.`),
    ...nixpkgsArgument(run.nixpkgs),
    '{',
    `  environment = import ${beside(other)} { inherit pkgs; };`,
    `  made = pkgs.runCommand ${nixString(run.name)} { } ''`,
    `    \${import ${beside(run.environment)} { inherit pkgs; }}/bin/python -W ignore \\`,
    `      ${[run.program, '$out', ...run.arguments].map((word) => (word === '$out' ? word : `\${${beside(word)}}`)).join(' ')}`,
    `  '';`,
    '}',
  ];
  return { name: `${run.name}.nix`, text: `${lines.join('\n')}\n` };
}
