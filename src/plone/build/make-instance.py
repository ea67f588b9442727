"""make-instance.py OUT REQUEST PROGRAMS: what plone.recipe.zope2instance makes of a section, without a buildout run.

REQUEST is a JSON file: {"section": name, "options": {…}}, the resolved options of the section. In their values, and in what is
written to OUT, /buildout stands for the buildout's folder: neither the user's machine nor the folder where this runs may show
in what is made. OUT/instance gets etc/ and what else the recipe puts beside it, OUT/programs the folder PROGRAMS, compiled.
"""

import compileall
import json
import os
import pathlib
import py_compile
import shutil
import sys

import pkg_resources
import zc.recipe.egg.egg

try:
    from plone.recipe.zope2instance.recipe import Recipe
except ImportError:  # up to 6.x
    from plone.recipe.zope2instance import Recipe

PLACEHOLDER = "/buildout"

out = pathlib.Path(sys.argv[1])
request = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
folder = pathlib.Path.cwd() / "buildout"
section = request["section"]


def here(value):
    """The options' folder is the one where the recipe may write."""
    return value.replace(PLACEHOLDER, str(folder))


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
    names = [line.strip() for line in self.options.get("eggs", self.name).split("\n")]
    folders = [path for path in sys.path if path.endswith("site-packages")]
    return [name for name in [*names, *extra] if name], pkg_resources.WorkingSet(folders)


zc.recipe.egg.egg.Eggs.working_set = working_set

make_folders = os.makedirs


def make_folders_here(name, mode=0o777, exist_ok=False):
    """Folders elsewhere are the running container's business."""
    if pathlib.Path(name).is_relative_to(folder):
        make_folders(name, mode, exist_ok)


os.makedirs = make_folders_here

options = Options({name: here(value) for name, value in request["options"].items()})
# Both must be the Python that runs this, or zc.buildout refuses to write scripts.
options["executable"] = sys.executable
buildout = Options(
    {
        "directory": str(folder),
        "executable": sys.executable,
        "find-links": "",
        "allow-hosts": "*",
        "offline": "true",
        "newest": "false",
        "allow-unknown-extras": "false",
        "relative-paths": "false",
    }
)
for name in ("bin", "parts", "eggs", "develop-eggs"):
    buildout[f"{name}-directory"] = str(folder / name)
    make_folders(folder / name)

# The recipe asks at a terminal for what it is not told. Without a user it is the container that makes one.
has_user = "user" in options
options.setdefault("user", "nobody:nothing")

Recipe(Buildout({"buildout": buildout, section: options}), section, options).install()
os.makedirs = make_folders

made = pathlib.Path(buildout["parts-directory"]) / section
# Scripts name this Python; the container has its own, and its data is elsewhere.
for name in ("bin", "var"):
    shutil.rmtree(made / name, ignore_errors=True)
if not has_user:
    (made / "inituser").unlink(missing_ok=True)
shutil.copytree(made, out / "instance")
for path in sorted((out / "instance").rglob("*")):
    if path.is_file():
        path.write_bytes(path.read_bytes().replace(str(folder).encode(), PLACEHOLDER.encode()))

# The image is read-only: what is not compiled now is compiled at each start.
shutil.copytree(sys.argv[3], out / "programs", copy_function=shutil.copyfile)
compileall.compile_dir(
    out / "programs",
    quiet=2,
    stripdir=str(out / "programs"),
    prependdir="/opt",
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
