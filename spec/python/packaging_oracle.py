"""What the library ``packaging``, which pip and zc.buildout go by, says of versions, specifiers, markers and tags."""

import json
import sys

from packaging import tags
from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version


def version(text):
    try:
        return str(Version(text))
    except InvalidVersion:
        return None


def matches(specifiers, text):
    try:
        return SpecifierSet(specifiers).contains(Version(text), prereleases=True)
    except InvalidSpecifier:
        return None


def marker(text, environment):
    try:
        return Marker(text).evaluate(environment)
    except InvalidMarker:
        return None


def supported(python, platforms):
    interpreter = "cp%d%d" % tuple(python)
    found = list(tags.cpython_tags(tuple(python), [interpreter], platforms))
    found += tags.compatible_tags(tuple(python), interpreter, platforms)
    return [str(tag) for tag in found]


work = json.load(sys.stdin)
json.dump(
    {
        "versions": [version(text) for text in work["versions"]],
        "order": sorted((text for text in work["versions"] if version(text) is not None), key=Version),
        "matches": [matches(*pair) for pair in work["matches"]],
        "markers": [marker(text, work["environment"]) for text in work["markers"]],
        "tags": [supported(*pair) for pair in work["tags"]],
    },
    sys.stdout,
)
