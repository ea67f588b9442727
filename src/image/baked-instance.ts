import { cpSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { localError } from '../errors.ts';
import { programExpression } from '../nix/expressions/run-program.ts';
import { instanceRequest } from '../plone/instance-request.ts';
import type { PackableInstance } from '../project/packable.ts';

/** Python programs that come with this package: the one that runs in a build, and those of the image. */
const BUILDER = fileURLToPath(import.meta.resolve('#plone/build/make-instance.py'));
const PROGRAMS = dirname(fileURLToPath(import.meta.resolve('#plone/programs/start')));

/** Where the programs and the instance are in an image, and where its data is. */
export const MOUNT = '/opt';
export const DATA = '/data';

/** What runs an instance, unless the caller says otherwise. */
export interface InstanceDefaults {
  readonly cmd: readonly string[];
  readonly workdir: string;
  readonly volumes: readonly string[];
  readonly stopSignal: string;
}

export const INSTANCE_DEFAULTS: InstanceDefaults = {
  cmd: ['start'],
  workdir: MOUNT,
  volumes: [DATA],
  stopSignal: 'SIGINT',
};

/** The attributes of `writeBakedInstance`'s expression. */
export const BAKED_ATTRIBUTES: readonly string[] = ['environment', 'made'];

/** An instance that is built beside its environment. */
export interface BakedInstance {
  readonly section: PackableInstance['section'];
  /** The name of the first administrator; null where the buildout names none. */
  readonly user: string | null;
}

/**
 * Writes the expression of an environment together with what makes the instance: the recipe runs inside of the build, and
 * writes what it would write into `parts`. Returns its file.
 */
export function writeBakedInstance(
  environment: string,
  { section, folder: place, recipeEnvironment, set }: PackableInstance,
  { bakeUser }: { readonly bakeUser: boolean },
): { readonly expression: string; readonly instance: BakedInstance } {
  const { request, user } = instanceRequest(section, { bakeUser });
  const run = {
    ...set,
    name: `plone-${section.name}`.replace(/[^\w.-]/g, '-'),
    environment: recipeEnvironment,
    program: 'make-instance.py',
    arguments: ['request.json', 'programs'],
  };
  const { name, text } = programExpression(run, basename(environment));
  try {
    writeFileSync(join(place, 'request.json'), JSON.stringify(request));
    cpSync(BUILDER, join(place, 'make-instance.py'));
    cpSync(PROGRAMS, join(place, 'programs'), { recursive: true, filter: (path) => !path.endsWith('__pycache__') });
    writeFileSync(join(place, name), text);
  } catch (error) {
    throw localError(`writing into ${place}`, error);
  }
  return { expression: join(place, name), instance: { section, user } };
}
