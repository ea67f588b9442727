import { PLAIN_SYNTAX, rewritePathText } from './path-text.ts';
import { Report, linesWithEnds } from './report.ts';
import type { RewriteOptions, Rewritten } from './rewritten.ts';

/** Rewrites a `.env` file, which the instance's program reads since plone.recipe.zope2instance 6.9. */
export function rewriteDotenv(text: string, options: RewriteOptions): Rewritten {
  const report = new Report(options);
  for (const { number, text: line, end } of linesWithEnds(text)) {
    if (line.trimStart().startsWith('#')) {
      report.line(number, line, line, end);
      continue;
    }
    const found = rewritePathText(line, { mappings: options.mappings, syntax: PLAIN_SYNTAX });
    report.paths(number, found.paths);
    report.needs(number, 'other', found.paths);
    report.line(number, line, found.text, end);
  }
  return report.done();
}
