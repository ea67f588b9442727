import { nixpkgsArgument } from './nixpkgs.ts';
import { comment, nixString } from './quote.ts';
import type { ExpressionFile, ExpressionSet } from './working-set.ts';

export interface ProgramRun extends Pick<ExpressionSet, 'writtenBy' | 'writtenFrom' | 'nixpkgs'> {
  /** Of the file, and of what it makes: `plone-instance`. */
  readonly name: string;
  /** Files beside this one: an environment's expression, and the program with its argument. */
  readonly environment: string;
  readonly program: string;
  readonly argument: string;
}

/**
 * An expression of what a Python program makes: it runs in an environment as `python PROGRAM $out ARGUMENT`. The attribute
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
    `      \${${beside(run.program)}} $out \${${beside(run.argument)}}`,
    `  '';`,
    '}',
  ];
  return { name: `${run.name}.nix`, text: `${lines.join('\n')}\n` };
}
