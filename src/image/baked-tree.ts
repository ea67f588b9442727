import { join } from 'node:path';
import { diskTree } from '../layer/disk-tree.ts';
import { type FolderNode, type Node, file, folder, merge, symlink, withNode } from '../layer/tree.ts';
import { isWithin } from '../plone/mapping.ts';
import type { InstancePlan } from '../plone/plan.ts';
import { planInstance } from '../plone/plan-instance.ts';
import { FACTS_FILE, programFacts } from '../plone/programs.ts';
import type { OnProgress } from '../progress.ts';
import { type BakedInstance, DATA, MOUNT } from './baked-instance.ts';
import { type BakedSource, bakedSource } from './instance-source.ts';

/**
 * What an image has of an instance: its configuration, rewritten for the container, and the programs that start and serve
 * it. What the configuration names of the buildout's folder comes along.
 *
 * @param made - the folder on disk of what `writeBakedInstance`'s expression made
 */
export function bakedTree(
  made: string,
  { section, user }: BakedInstance,
  onProgress: OnProgress | undefined,
): FolderNode {
  const source = bakedSource({ made: join(made, 'instance'), part: section.name, directory: section.directory });
  const plan = planInstance(source, { mount: MOUNT, part: section.name, data: DATA, logs: 'stdout' });
  report(plan, onProgress);
  const facts = programFacts({
    data: DATA,
    zopeConf: `${plan.home}/etc/zope.conf`,
    wsgiIni: `${plan.home}/etc/wsgi.ini`,
    user: user ?? 'admin',
  });
  const programs = diskTree(join(made, 'programs'));
  if (programs.kind !== 'folder') throw new Error(`${made} has no programs`);
  const own = folder([[FACTS_FILE, file(Buffer.from(facts))]]);
  return folder([[MOUNT.slice(1), merge(merge(own, programs), plannedTree(plan, source))]]);
}

/** What the article's way has beside the configuration is a program in the image. */
function isReplaced(path: string, { home }: InstancePlan): boolean {
  return path === 'instance.py' || isWithin(path, `${home}/bin`) || isWithin(path, 'var');
}

function plannedTree(plan: InstancePlan, source: BakedSource): FolderNode {
  let tree = folder([]);
  const put = (path: string, node: Node): void => {
    if (!isReplaced(path, plan)) tree = withNode(tree, path.split('/'), (there) => there ?? node);
  };
  for (const { path, text } of plan.files)
    put(path, text === null ? diskTree(source.onDisk(path)) : file(Buffer.from(text)));
  for (const { path, target } of plan.links) put(path, symlink(target));
  for (const { path, mode } of plan.folders) put(path, folder([], mode));
  return tree;
}

function report({ warnings, copyWarnings, leftovers }: InstancePlan, onProgress: OnProgress | undefined): void {
  for (const { file: where, line, text } of [...warnings, ...copyWarnings])
    onProgress?.({ kind: 'note', text: `${where}${line === null ? '' : `:${line}`}: ${text}` });
  for (const { file: where, line, path } of leftovers)
    onProgress?.({ kind: 'note', text: `${where}${line === null ? '' : `:${line}`}: the image has no ${path}` });
}
