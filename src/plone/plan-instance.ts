import { posix } from 'node:path';
import { OciPloneError } from '../errors.ts';
import { type ControlArguments, controlArguments } from './control-script.ts';
import { type CopyContext, planCopy, planLink } from './copy-plan.ts';
import { rewriteDotenv } from './dotenv.ts';
import { INTERPRETER, instanceProgram } from './instance-programs.ts';
import { FolderNames, type InstanceSource } from './instance-source.ts';
import { isWithin } from './mapping.ts';
import { BACKUP, type InstancePlan, PlanDraft } from './plan.ts';
import type { Need, RewriteOptions, Rewritten } from './rewritten.ts';
import { rewriteWsgiIni } from './wsgi-ini.ts';
import { rewriteZcml } from './zcml.ts';
import type { Defines } from './zconfig.ts';
import { rewriteZopeConf } from './zope-conf.ts';

export interface PlanOptions {
  /** Where a container has the folder. */
  readonly mount: string;
  /** The name of the part. */
  readonly part: string;
  /** Where a container has the folder `var`. @default `var` below the mount */
  readonly data?: string;
  /** `stdout` turns log files into the standard output. @default 'files' */
  readonly logs?: RewriteOptions['logs'];
}

const PRIVATE_MODE = 0o700;

/** What zc.buildout 1.5 to 1.7 with plone.recipe.zope2instance 4.1 to 6.13 put in Python's way. */
const PYTHON_SITE = /^(?:__pycache__\/)?(?:site|sitecustomize)\.(?:[\w-]+\.)?py[co]?$/;

/** Files of values that the instance's program reads since the recipe's 6.9. */
const DOTENV = /^\.env(\.(?!orig$)[\w-]+)?$/;

interface Planning extends CopyContext {
  readonly rewrite: (path: string) => RewriteOptions;
  /** Needs that are looked at last, when every folder of data is known. */
  readonly others: { readonly need: Need; readonly file: string }[];
}

/**
 * Plans what a buildout's folder with `parts/instance` becomes in a container: what is needed of it, rewritten, and the
 * programs that start it there.
 *
 * @throws OciPloneError INPUT_ABSENT without such a part, INPUT_MALFORMED for files that Zope would not read
 */
export function planInstance(source: InstanceSource, options: PlanOptions): InstancePlan {
  const { mount, part, data = null, logs = 'files' } = options;
  const home = `parts/${part}`;
  if (source.kind(home) !== 'folder') throw absent(source, part);
  const script = source.kind(`bin/${part}`) === 'file' ? controlArguments(source.read(`bin/${part}`)) : null;
  const names = new FolderNames([...source.names, ...formerNames(source, home, script)], { mount, data });
  const zopeConf = located(script?.zopeConf, names) ?? `${home}/etc/zope.conf`;
  const wsgiIni = wsgiIniOf(source, home, script, names);
  if (source.kind(zopeConf) !== 'file')
    throw new OciPloneError('INPUT_ABSENT', `${zopeConf} is not there`, { hint: 'Run bin/buildout first.' });

  const [folder = ''] = source.names;
  const planning: Planning = {
    source,
    names,
    home,
    draft: new PlanDraft(),
    rewrite: (path) => ({ mappings: names.mappings, logs, file: posix.join(folder, path) }),
    others: [],
  };
  const removed: string[] = [];
  planConf(zopeConf, [], new Map(), planning);
  if (wsgiIni !== null) planText(wsgiIni, rewriteWsgiIni, planning);
  for (const name of source.list('')) if (DOTENV.test(name)) planText(name, rewriteDotenv, planning);
  planHome(home, planning, removed);
  planOthers(planning);

  const inContainer = (path: string): string => posix.join(mount, path);
  const program = instanceProgram({
    zopeConf: inContainer(zopeConf),
    wsgiIni: wsgiIni === null ? null : inContainer(wsgiIni),
    umask: script?.umask ?? null,
  });
  planProgram('instance.py', program, planning);
  planProgram(`${home}/bin/interpreter`, INTERPRETER, planning);
  const era = wsgiIni === null ? 'zserver' : 'wsgi';
  return planning.draft.done({ era, home, removed: removed.sort() });
}

/** The folder may have been somewhere else when buildout ran; one rewritten in place has it in its backup. */
function formerNames(source: InstanceSource, home: string, script: ControlArguments | null): readonly string[] {
  const homes = [home, `${home}${BACKUP}`].flatMap((folder) => {
    const conf = `${folder}/etc/zope.conf`;
    const text = source.kind(conf) === 'file' ? source.read(conf) : '';
    return [
      /^\s*%define\s+INSTANCEHOME\s+(\S.*?)\/*\s*$/im.exec(text)?.[1],
      /^\s*instancehome\s+(\/.*?)\/*\s*$/im.exec(text)?.[1],
    ];
  });
  return [...homes, script?.interpreter?.replace(/\/bin\/interpreter$/, '')].flatMap((path) =>
    path?.startsWith('/') === true && path.endsWith(`/${home}`) && path.length > home.length + 1
      ? [path.slice(0, -home.length - 1)]
      : [],
  );
}

function wsgiIniOf(
  source: InstanceSource,
  home: string,
  script: ControlArguments | null,
  names: FolderNames,
): string | null {
  const named = script?.wsgiIni?.includes('/') === true ? located(script.wsgiIni, names) : null;
  return named ?? (source.kind(`${home}/etc/wsgi.ini`) === 'file' ? `${home}/etc/wsgi.ini` : null);
}

/** A path of a control script, relative to the folder. */
function located(path: string | null | undefined, names: FolderNames): string | null {
  if (path === null || path === undefined) return null;
  if (!path.startsWith('/')) return posix.normalize(path);
  const local = names.local(path);
  if (local !== null) return local;
  throw new OciPloneError('INPUT_REFUSED', `the instance is configured by ${path}, which is outside of the folder`, {
    hint: 'Put the file into the buildout’s folder, and run bin/buildout again.',
  });
}

function planText(
  path: string,
  rewrite: (text: string, options: RewriteOptions) => Rewritten,
  planning: Planning,
): void {
  if (planning.draft.has(path)) return;
  const before = planning.source.read(path);
  const rewritten = rewrite(before, planning.rewrite(path));
  planRewritten(path, before, rewritten, planning);
}

function planRewritten(path: string, before: string, rewritten: Rewritten, planning: Planning): void {
  planning.draft.file({ path, text: rewritten.text, before });
  planning.draft.report(rewritten);
  const file = planning.rewrite(path).file;
  for (const need of rewritten.needs) planNeed(need, file, planning);
}

function planConf(path: string, within: readonly string[], defines: Defines, planning: Planning): void {
  const { source, names, draft } = planning;
  if (draft.has(path)) return;
  const before = source.read(path);
  const eggs = names.mappings.flatMap(({ from }) => [`${from}/eggs`, `${from}/develop-eggs`]);
  const options = { ...planning.rewrite(path), eggs, within, defines };
  const rewritten = rewriteZopeConf(before, options);
  planRewritten(path, before, rewritten, planning);
  for (const include of rewritten.includes) {
    const target = include.target.replace(/^file:(\/\/)?(?=\/)/, '');
    if (/^[a-z]{2,}:/i.test(target)) continue;
    const local = target.startsWith('/') ? names.local(target) : posix.join(posix.dirname(path), target);
    if (local === null || local.startsWith('..')) continue;
    if (source.kind(local) === 'file') planConf(local, include.within, include.defines, planning);
    else draft.warn(options.file, include.line, `%include of ${local}, which is not there`);
  }
}

function planNeed(need: Need, file: string, planning: Planning): void {
  const { names, draft, source } = planning;
  const local = names.local(need.path);
  if (local === null) return;
  const at = { file, line: need.line };
  switch (need.role) {
    case 'folder':
      draft.folder(local);
      return;
    case 'private':
      draft.folder(local, PRIVATE_MODE);
      return;
    case 'parent':
      draft.folder(posix.dirname(local));
      if (local.endsWith('.fs') && source.kind(local) === 'file')
        draft.warnOfCopy(file, need.line, `${local} is not copied: mount or copy the database, blobs and all`);
      return;
    case 'tree':
      planCopy(local, at, planning);
      return;
    case 'zcml':
      planZcml(local, at, planning);
      return;
    case 'config':
      if (source.kind(local) === 'file') planConf(local, [], new Map(), planning);
      else draft.warn(file, need.line, `${local} is not there`);
      return;
    case 'other':
      planning.others.push({ need, file });
  }
}

/** A file of ZCML, or several by a pattern of their names. */
function planZcml(path: string, at: { readonly file: string; readonly line: number }, planning: Planning): void {
  const { source } = planning;
  if (!path.includes('*')) {
    if (source.kind(path) === 'file') planText(path, rewriteZcml, planning);
    else planCopy(path, at, planning);
    return;
  }
  const folder = posix.dirname(path);
  if (source.kind(folder) !== 'folder') return;
  const pattern = posix
    .basename(path)
    .replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*');
  for (const name of source.list(folder))
    if (new RegExp(`^${pattern}$`).test(name)) planZcml(posix.join(folder, name), at, planning);
}

/** The instance's own folder: everything but what was for the machine it was made on. */
function planHome(path: string, planning: Planning, removed: string[]): void {
  const { source, draft, home } = planning;
  draft.folder(path);
  for (const name of source.list(path)) {
    const child = posix.join(path, name);
    const kind = source.kind(child);
    const within = child.slice(home.length + 1);
    if (kind === 'folder') planHome(child, planning, removed);
    else if (kind === 'link') planLink(child, planning);
    else if (kind === 'file' && PYTHON_SITE.test(within)) removed.push(child);
    else if (kind === 'file' && child.endsWith('.zcml')) planText(child, rewriteZcml, planning);
    else if (kind === 'file' && within !== 'bin/interpreter') planCopy(child, { file: path, line: null }, planning);
  }
}

/** Of paths whose key says nothing: data's folder may be empty, anything else comes along. */
function planOthers(planning: Planning): void {
  const { names, draft, source, others, home } = planning;
  const isData = (path: string): boolean => isWithin(path, 'var') || draft.isInFolder(path);
  const asked = others.flatMap(({ need, file }) => {
    const path = names.local(need.path);
    return path === null || isWithin(path, home) ? [] : [{ path, data: isData(path), file, line: need.line }];
  });
  for (const { path, data, file, line } of asked) {
    const kind = source.kind(path);
    const parent = posix.dirname(path);
    if (data && kind === 'folder') draft.folder(path);
    else if (data || (kind === null && source.kind(parent) === 'folder')) draft.folder(parent);
    else if (kind !== null) planCopy(path, { file, line }, planning);
  }
}

function planProgram(path: string, text: string, { source, draft }: Planning): void {
  draft.folder(posix.dirname(path));
  draft.file({ path, text, before: source.kind(path) === 'file' ? source.read(path) : null });
}

function absent(source: InstanceSource, part: string): OciPloneError {
  const [folder = ''] = source.names;
  const parts = source.kind('parts') === 'folder' ? source.list('parts') : [];
  const instances = parts.filter((name) => source.kind(`parts/${name}/etc/zope.conf`) === 'file');
  const hint =
    instances.length > 0
      ? `There is ${instances.join(', ')}: choose with --part.`
      : 'Run bin/buildout with a part of plone.recipe.zope2instance first, or name the folder that has its parts.';
  return new OciPloneError('INPUT_ABSENT', `${folder} has no parts/${part}`, { hint });
}
