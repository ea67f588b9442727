/** Python of the image. */
const PYTHON = '/app/bin/python';

export interface InstanceProgram {
  /** In the container. */
  readonly zopeConf: string;
  /** In the container; null for Zope 2.13 and for ZServer, which have none. */
  readonly wsgiIni: string | null;
  /** `zopectl-umask`, as Python's number. */
  readonly umask: string | null;
}

/**
 * `instance.py`, the article's wrapper around plone.recipe.zope2instance.ctl. Where there is a wsgi.ini (recipe 6 and
 * later) `-w` must be given: without it main raises a NameError if ZServer is not installed.
 */
export function instanceProgram({ zopeConf, wsgiIni, umask }: InstanceProgram): string {
  const wsgi = wsgiIni === null ? [] : ['-p', PYTHON, '-w', wsgiIni];
  const words = ['-C', zopeConf, ...wsgi].map((word) => JSON.stringify(word));
  const list = umask === null ? words : [...words, '"--umask"', umask];
  return `# -*- coding: utf-8 -*-
import sys

import plone.recipe.zope2instance.ctl

sys.exit(plone.recipe.zope2instance.ctl.main(
    [${list.join(', ')}]
    + sys.argv[1:]
))
`;
}

/**
 * `bin/interpreter`, for Python 2.7 and 3: what zc.buildout writes, without a sys.path of the machine it was made on. As
 * there, sys.argv stays whole for `-c`, and all code shares one namespace, so that `-i` shows what `-c` left.
 */
export const INTERPRETER: string = `#!${PYTHON}
# -*- coding: utf-8 -*-
import sys

_interactive = len(sys.argv) == 1
if not _interactive:
    _options, _arguments = __import__("getopt").getopt(sys.argv[1:], "Iic:m:")
    for _option, _value in _options:
        if _option == "-i":
            _interactive = True
        elif _option == "-c":
            exec(_value)
        elif _option == "-m":
            sys.argv[1:] = _arguments
            _arguments = []
            __import__("runpy").run_module(_value, {}, "__main__", alter_sys=True)
    if _arguments:
        sys.argv[:] = _arguments
        __file__ = _arguments[0]
        del _options, _arguments
        with __import__("io").open(__file__, "rb") as _file:
            _code = compile(_file.read(), __file__, "exec")
        exec(_code)

if _interactive:
    __import__("code").interact(banner="", local=globals())
`;
