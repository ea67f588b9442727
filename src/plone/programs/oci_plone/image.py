"""Where things are in this image, as its builder wrote it down beside the programs."""

import json
import os
from dataclasses import dataclass

from .failure import Failure

FACTS = "oci-plone.json"


@dataclass(frozen=True)
class Image:
    #: The folder of the programs, /opt in an image.
    base: str
    #: The volume: everything that is ever written, /data in an image.
    data: str
    zope_conf: str
    wsgi_ini: str
    #: The name that the first administrator gets.
    user: str


def this_image():
    """Reads the facts. Derived from this file's own place, so that the programs work in any folder."""
    base = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.path.join(base, FACTS)
    try:
        with open(path, encoding="utf-8") as file:
            facts = json.load(file)
        return Image(
            base=base,
            data=os.path.abspath(facts["data"]),
            zope_conf=os.path.join(base, facts["zopeConf"]),
            wsgi_ini=os.path.join(base, facts["wsgiIni"]),
            user=facts["user"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise Failure("IMAGE_BROKEN", f"{path}: {error!r}", "Pack the image again.") from error


def read_text(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise Failure("IMAGE_BROKEN", f"{path}: {error.strerror}", "Pack the image again.") from error
