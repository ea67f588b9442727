"""The effective configuration on disk: for this user alone, in a folder of its own, and only until Zope has read it."""

import os
import shutil
import tempfile
from dataclasses import dataclass

from . import wsgi_ini, zconfig_text, zope_conf
from .failure import say
from .image import read_text


@dataclass(frozen=True)
class Configuration:
    """What the settings make of the image's files."""

    zope_conf: str
    wsgi_ini: str
    needs: zope_conf.Needs
    addresses: list
    #: The image's own folder of them.
    etc: str
    unchanged: bool


def configuration(image, settings, environment):
    """Computes it; nothing is written yet."""
    own_conf = read_text(image.zope_conf)
    own_ini = read_text(image.wsgi_ini)
    root = zope_conf.configure(own_conf, settings, image.data)
    needs = zope_conf.needs(root, image.data, environment)
    etc = os.path.dirname(image.zope_conf)
    conf = zconfig_text.render(zope_conf.absolute_includes(root, etc))
    ini = wsgi_ini.configure(own_ini, os.path.dirname(image.wsgi_ini), port=settings.listen_port)
    changed = settings.zope or settings.form or settings.cache_size or settings.storage or settings.listen_port
    return Configuration(conf, ini, needs, wsgi_ini.addresses(ini), etc, unchanged=not changed)


class Files:
    """`with Files(image, configuration) as files:` gives their paths. An unchanged image is read where it lies."""

    def __init__(self, image, made):
        self.zope_conf = image.zope_conf
        self.wsgi_ini = image.wsgi_ini
        self._made = made
        self._folder = None

    def __enter__(self):
        if self._made.unchanged:
            return self
        self._folder = tempfile.mkdtemp(prefix="oci-plone-")
        self.zope_conf = os.path.join(self._folder, "zope.conf")
        self.wsgi_ini = os.path.join(self._folder, "wsgi.ini")
        _write(self.zope_conf, self._made.zope_conf)
        _write(self.wsgi_ini, wsgi_ini.configure(self._made.wsgi_ini, self._made.etc, zope_conf=self.zope_conf))
        return self

    def __exit__(self, *error):
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return False


def _write(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def temporary_folder(image):
    """Zope spools uploads, and so does this. A read-only container without a tmpfs on /tmp still has its volume."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folder = os.path.join(image.data, "tmp")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        say(f"Temporary files go to {folder}, since /tmp cannot be written")
