"""Asks the image's own programs what they make of environments. stdin: a list of them; stdout: an answer for each, as JSON."""

import ast
import json
import sys
from pathlib import Path

programs = Path(sys.argv[1])
sys.path.insert(0, str(programs))
sys.dont_write_bytecode = True

from oci_plone import administrator, settings  # noqa: E402
from oci_plone.failure import Failure  # noqa: E402

#: Every name in the programs' text: one that no program ever asks for is in none of them.
literals = {
    node.value
    for file in programs.glob("oci_plone/*.py")
    for node in ast.walk(ast.parse(file.read_text("utf-8")))
    if isinstance(node, ast.Constant) and isinstance(node.value, str)
}


def answer(environment):
    unknown = sorted(name for name in environment if name not in literals)
    try:
        notes = settings.read_settings(environment).notes
    except Failure as failure:
        return {"unknown": unknown, "failure": failure.code, "notes": []}
    return {"unknown": unknown, "failure": None, "notes": notes}


json.dump(
    {"passwordFile": administrator.DEFAULT_FILE, "answers": [answer(one) for one in json.load(sys.stdin)]},
    sys.stdout,
)
