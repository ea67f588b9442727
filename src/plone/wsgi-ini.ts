import { posix } from 'node:path';
import { onEveryInterface } from './address.ts';
import { type IniLine, iniSections, readIni } from './ini.ts';
import { type LineEdits, logsToStdout } from './ini-logs.ts';
import { INI_SYNTAX, PLAIN_SYNTAX, rewritePathText } from './path-text.ts';
import { Report } from './report.ts';
import type { NeedRole, RewriteOptions, Rewritten } from './rewritten.ts';

const ROLES: Readonly<Record<string, NeedRole>> = {
  zope_conf: 'config',
  log_filename: 'parent',
  cachegrind_filename: 'parent',
  unix_socket: 'parent',
};

/** Values that begin with a slash and are places of URLs, or formats. */
const NO_FILES: ReadonlySet<string> = new Set(['path', 'prefix', 'url_prefix', 'format', 'datefmt']);

const LISTENING: ReadonlySet<string> = new Set(['listen', 'fast-listen', 'host']);

/**
 * Rewrites wsgi.ini for a container: every path that a mapping covers, on boundaries, in every value, and the addresses
 * that the server listens on. Comments stay as they are.
 */
export function rewriteWsgiIni(text: string, options: RewriteOptions): Rewritten {
  const report = new Report(options);
  const lines = [...readIni(text)];
  const edits: LineEdits = options.logs === 'stdout' ? logsToStdout(lines, iniSections(lines)) : new Map();
  for (const line of lines) {
    const edit = edits.get(line.number);
    report.line(line.number, line.text, edit === undefined ? rewriteLine(line, options, report) : edit, line.end);
  }
  return report.done();
}

function rewriteLine(line: IniLine, { mappings, file }: RewriteOptions, report: Report): string {
  const { kind, section, key, value, number, text, column } = line;
  if ((kind !== 'pair' && kind !== 'more') || NO_FILES.has(key)) return text;
  const lineWith = (changed: string): string => text.slice(0, column) + changed + text.slice(column + value.length);
  const everywhere = section.startsWith('server:') && LISTENING.has(key) ? onEveryInterface(value) : null;
  if (everywhere !== null) {
    report.warn(number, `${key} ${value} is a container's own loopback: made ${everywhere}`);
    return lineWith(everywhere);
  }
  const named = Object.hasOwn(ROLES, key) ? ROLES[key] : undefined;
  const role = named ?? (section.startsWith('handler_') ? 'parent' : 'other');
  const whole = named !== undefined && value.startsWith('/');
  const found = rewritePathText(value, { mappings, syntax: INI_SYNTAX, whole });
  report.paths(number, found.paths);
  // PasteDeploy: %(here)s is the folder of the file.
  const expanded = value.replaceAll('%(here)s', posix.dirname(file)).replaceAll('%%', '%');
  report.needs(number, role, rewritePathText(expanded, { mappings, syntax: PLAIN_SYNTAX, whole }).paths);
  return lineWith(found.text);
}
