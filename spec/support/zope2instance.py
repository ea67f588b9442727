"""plone.recipe.zope2instance without a buildout run; what it makes is real.

Standard input is JSON: a list of {"folder": the buildout's folder, "options": the section's options}.
"""

import json
import os
import sys
import types

import pkg_resources
import zc.recipe.egg.egg

try:
    from plone.recipe.zope2instance.recipe import Recipe
except ImportError:  # up to 6.x
    from plone.recipe.zope2instance import Recipe


class Options(dict):
    """zc.buildout's Options, as far as recipes use them."""

    def copy(self):
        return Options(self)

    def created(self, *paths):
        return list(paths)


class Buildout(dict):
    pass


def working_set(self, extra=()):
    """Everything is installed where this Python looks; nothing is fetched."""
    names = [line.strip() for line in self.options.get("eggs", "").split("\n")]
    return [name for name in [*names, *extra] if name], pkg_resources.WorkingSet(
        [path for path in sys.path if os.path.isdir(os.path.join(path, "zc"))]
    )


zc.recipe.egg.egg.Eggs.working_set = working_set


def install(folder, options):
    buildout = Options(
        {
            "directory": folder,
            "executable": sys.executable,
            "find-links": "",
            "allow-hosts": "*",
            "offline": "true",
            "newest": "false",
            "allow-unknown-extras": "false",
            "relative-paths": "false",
        }
    )
    for name in ("parts", "bin", "eggs", "develop-eggs"):
        buildout[f"{name}-directory"] = os.path.join(folder, name)
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    section = Options({"recipe": "plone.recipe.zope2instance", "executable": sys.executable, **options})
    if section.get("wsgi") == "off":
        # The recipe's 6 has ZServer's templates still, for Python 2 alone.
        six = sys.modules[Recipe.__module__].six
        sys.modules[Recipe.__module__].six = types.SimpleNamespace(PY2=True, PY3=False)
    recipe = Recipe(Buildout(buildout=buildout), "instance", section)
    if section.get("wsgi") == "off":
        sys.modules[Recipe.__module__].six = six
    recipe.install()


for job in json.load(sys.stdin):
    install(job["folder"], job["options"])
