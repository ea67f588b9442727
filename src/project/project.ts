import { resolve } from 'node:path';
import { readBuildout } from '../buildout/read.ts';
import type { Buildout } from '../buildout/read.ts';
import type { CallOptions, Environment } from '../call-options.ts';
import type { HttpGet } from '../http/get.ts';
import { markerEnvironment, markerOrNull } from '../python/markers.ts';
import type { Target } from '../python/target.ts';
import { lockPath } from './lock-file.ts';
import { withNetwork } from './network.ts';
import type { BuildoutChoices, EvaluationChoices } from './options.ts';
import { buildoutTarget, findTarget } from './target.ts';

/** A buildout file that was read, for one target. */
export interface Project {
  /** A full path, or an address. */
  readonly file: string;
  readonly buildout: Buildout;
  readonly target: Target;
  readonly env: Environment;
  readonly get: HttpGet;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: CallOptions['onProgress'];
}

export interface ProjectOptions extends BuildoutChoices, EvaluationChoices, CallOptions {
  readonly file: string;
  readonly part?: string | undefined;
  readonly env: Environment;
}

/**
 * Finds the target, reads the buildout for it, and keeps the network open for the time of `use`.
 *
 * @throws what reading a buildout, and finding a target, throw
 */
export async function withProject<T>(options: ProjectOptions, use: (project: Project) => Promise<T>): Promise<T> {
  const { env, signal, onProgress, offline, overrides = [], part } = options;
  const isAddress = /^[a-z][a-z0-9+.-]*:\/\//i.test(options.file);
  const file = isAddress ? options.file : resolve(options.file);
  const parts = part === undefined ? [null] : [part, null];
  const locks = isAddress ? [] : parts.map((one) => lockPath(file, one));
  return withNetwork(env, async (get) => {
    const target = await findTarget({ ...options, locks }, { env, signal, onProgress });
    const environment = markerEnvironment(target);
    const buildout = await readBuildout({
      file,
      get,
      env,
      overrides,
      signal,
      target: buildoutTarget(target),
      marker: (text) => markerOrNull(text, environment),
      ...(offline === undefined ? {} : { offline }),
    });
    return use({ file, buildout, target, env, get, signal, onProgress });
  });
}
