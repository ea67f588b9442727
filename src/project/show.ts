import type { Buildout, Origin } from '../buildout/read.ts';
import { OciPloneError } from '../errors.ts';
import { didYouMean } from '../nearest-name.ts';
import type { ShowOptions } from './options.ts';
import { withProject } from './project.ts';

/** A buildout as it is after everything is resolved. */
export interface ShownBuildout {
  readonly file: string;
  /** The target's Python. */
  readonly python: string;
  readonly sections: readonly ShownSection[];
  /** Why the sections that are missing here could not be resolved. */
  readonly failures: readonly OciPloneError[];
}

export interface ShownSection {
  readonly name: string;
  readonly options: readonly ShownOption[];
}

export interface ShownOption {
  readonly name: string;
  readonly value: string;
  /** Where the value stands: the place that set it first, then those that added or removed lines. */
  readonly origins: readonly Origin[];
}

/**
 * Resolves the sections of a buildout, all of them or one.
 *
 * @throws OciPloneError where the buildout cannot be read, and where the one section that was asked for cannot be resolved.
 * Of all sections, failures are part of the result.
 */
export async function showBuildout(options: ShowOptions): Promise<ShownBuildout> {
  const env = options.env ?? process.env;
  return withProject({ ...options, env }, async ({ buildout, target }) => {
    const { section } = options;
    const about = { file: buildout.file, python: target.pythonVersion };
    if (section !== undefined) {
      if (!buildout.has(section)) throw absent(section, buildout);
      return { ...about, sections: [shown(section, buildout.section(section), buildout)], failures: [] };
    }
    const { sections, failures } = buildout.resolveAll();
    return { ...about, sections: [...sections].map(([name, values]) => shown(name, values, buildout)), failures };
  });
}

function shown(name: string, values: ReadonlyMap<string, string>, buildout: Buildout): ShownSection {
  const options = [...values].map(([option, value]) => ({
    name: option,
    value,
    origins: buildout.origin(name, option),
  }));
  return { name, options };
}

function absent(section: string, buildout: Buildout): OciPloneError {
  const near = didYouMean(section, buildout.sections);
  return new OciPloneError('INPUT_ABSENT', `${buildout.file} has no section [${section}]${near}`, {
    hint: `There are ${buildout.sections.join(', ')}.`,
  });
}
