"""Reads buildout files with zc.buildout itself and prints what it made of them, as JSON.

Recipes are not loaded, folders are not made. Two things that belong to the Python that runs are taken out: the option
``executable``, and zc.buildout's own minimum version.
"""

import json
import logging
import os
import platform
import struct
import sys

import zc.buildout.buildout as module
import zc.buildout.easy_install as easy_install
from packaging.markers import InvalidMarker, Marker

logging.disable(logging.CRITICAL)
os.makedirs = os.mkdir = lambda *arguments, **options: None
module.Options.initialize = lambda self: None
module._buildout_default_options["executable"].value = "python%s.%s" % sys.version_info[:2]


def open_buildout(job):
    os.environ.pop("BUILDOUT_HOME", None)
    os.environ.update(job["env"])
    os.chdir(job["folder"])
    easy_install.Installer._versions = {}
    overrides = [tuple(option) for option in job["overrides"]]
    found = module.Buildout(job["file"], overrides, job["userDefaults"], "annotate")
    return found, adds_itself_to(found)


def adds_itself_to(found):
    """The section that zc.buildout put its own minimum version into, or None."""
    name = found._raw["buildout"]["versions"]
    own = found._annotated.get(name, {}).get("zc.buildout")
    if name == "" or own is not None and own.source == "DEFAULT_VALUE":
        easy_install.Installer._versions.pop("zc-buildout", None)
        return name
    return None


def values(found, additional, section):
    options = found[section]
    return [[key, options[key]] for key in options if section != additional or key != "zc.buildout"]


def read(job):
    try:
        found, additional = open_buildout(job)
        versions = dict(easy_install.Installer._versions)
    except (Exception, RecursionError) as error:
        return {"failure": type(error).__name__, "message": str(error)}
    sections = []
    for name in list(found):
        try:
            sections.append([name, {"values": values(found, additional, name)}])
        except (Exception, RecursionError) as error:
            sections.append([name, {"failure": type(error).__name__}])
            # Sections that were begun stay half done.
            found, additional = open_buildout(job)
    return {
        "sections": sections,
        "versions": sorted(versions.items()),
        "sources": {
            "%s:%s" % (name, key): [item.source for item in option.history]
            for name, section in found._annotated.items()
            for key, option in section.items()
        },
    }


def marker(text):
    try:
        return Marker(text).evaluate()
    except InvalidMarker:
        return None


def main():
    work = json.load(sys.stdin)
    stdout, sys.stdout = sys.stdout, sys.stderr
    answer = {
        "target": {
            "pythonVersion": platform.python_version(),
            "sysPlatform": sys.platform,
            "bits": struct.calcsize("P") * 8,
            "implementation": platform.python_implementation(),
        },
        "markers": [[text, marker(text)] for text in work["markers"]],
        "results": [read(job) for job in work["jobs"]],
    }
    json.dump(answer, stdout)


main()
