/** What `bin/instance` passes to plone.recipe.zope2instance.ctl. Paths as they are written there. */
export interface ControlArguments {
  /** `-C` */
  readonly zopeConf: string | null;
  /** `-p`: the interpreter of old, from which the folder's name of that time is known. */
  readonly interpreter: string | null;
  /** `-w` */
  readonly wsgiIni: string | null;
  /** `--umask`, as Python's number. */
  readonly umask: string | null;
}

const NONE: ControlArguments = { zopeConf: null, interpreter: null, wsgiIni: null, umask: null };

/**
 * Reads the arguments in a control script that zc.buildout wrote. With `relative-paths = true` they are
 * `join(base, 'parts/instance/…')`: relative to the buildout's folder.
 */
export function controlArguments(script: string): ControlArguments {
  const list = /\.main\(\s*\[([\s\S]*?)\]\s*\+\s*sys\.argv/.exec(script)?.[1];
  if (list === undefined) return NONE;
  const value = (flag: string): string | null =>
    new RegExp(String.raw`['"]${flag}['"]\s*,\s*(?:join\(base,\s*)?u?(?:'([^']*)'|"([^"]*)"|(\d+))`)
      .exec(list)
      ?.slice(1)
      .find((text) => text !== undefined) ?? null;
  return { zopeConf: value('-C'), interpreter: value('-p'), wsgiIni: value('-w'), umask: value('--umask') };
}
