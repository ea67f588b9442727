"""The zope.conf that the environment's settings make of the image's own, and what that one needs to start. Pure."""

import os
import re
from dataclasses import dataclass
from typing import List, Tuple

from . import zconfig_text
from .failure import Failure

#: The volume's folders that a plain buildout has; zope.conf may name more.
_FOLDERS = ("instance", "filestorage", "blobstorage", "log", "cache")
#: Directives whose value is a folder that has to be there; ZODB wants those of blobs for itself alone.
_FOLDER_KEYS = ("clienthome", "var", "data-dir", "cache-local-dir", "chameleon_cache", "tempstorage")
_BLOB_KEYS = ("blob-dir", "blob-cache-dir")
#: Directives whose value is a file in one.
_FILE_KEYS = ("path", "pid-filename", "lock-filename", "socket-name")

#: Where plone/plone-backend's defaults are not those of ZEO and RelStorage.
_DEFAULTS = {"zeoclient": {"cache-size": "128MB"}, "relstorage": {"blob-cache-size": "100MB"}}


def configure(text, settings, data):
    """The effective tree: `text`, as the image has it, with these settings."""
    root = zconfig_text.parse(text)
    for option, value in settings.zope.items():
        root.set(option, value)
    if settings.form:
        form = (root.sections("dos_protection") or [root.add("dos_protection")])[0]
        for option, value in settings.form.items():
            form.set(option, value)
    main = main_database(root)
    if settings.cache_size is not None:
        main.set("cache-size", settings.cache_size)
    if settings.storage is not None:
        _set_storage(main, settings.storage, data)
    return root


def main_database(root):
    """The database that is mounted at /."""
    databases = root.sections("zodb_db")
    for database in databases:
        if database.name == "main" or database.value("mount-point") == "/":
            return database
    raise Failure("IMAGE_BROKEN", "zope.conf has no <zodb_db main>.", "Pack the image again.")


def _set_storage(main, storage, data):
    same_kind = [section for section in main.every_section() if section.type == storage.kind]
    if storage.servers or storage.dsn:
        section = same_kind[0] if same_kind else _new_storage(main, storage, data)
    elif same_kind:
        section = same_kind[0]
    else:
        return  # ZEO_STORAGE alone, for one: it has no effect in plone/plone-backend, either
    for option, value in storage.options.items():
        section.set(option, value)
    if storage.servers:
        section.set("server", *storage.servers)
    if storage.dsn:
        adapter = (section.sections("postgresql") or [section.add("postgresql")])[0]
        adapter.set("dsn", storage.dsn)


def _new_storage(main, storage, data):
    """Instead of the storage that the buildout chose, whatever wraps it."""
    wrapped = main.sections()
    main.children = [child for child in main.children if child not in wrapped]
    if storage.kind == "relstorage":
        main.children.append(zconfig_text.Directive(f"{main.indent}    %import relstorage"))
    section = main.add(storage.kind)
    # Cached and shared blobs are laid out differently, and ZODB refuses a folder with the other layout.
    shared = storage.options.get("shared-blob-dir") == "on"
    section.set("blob-dir", os.path.join(data, "blobstorage" if shared else "blobcache"))
    if storage.kind == "zeoclient":
        section.set("name", "zeostorage")
        section.set("var", os.path.join(data, "instance"))
    for option, value in _DEFAULTS[storage.kind].items():
        section.set(option, value)
    return section


@dataclass(frozen=True)
class Needs:
    #: Folders in the volume, with their modes, parents first.
    folders: List[Tuple[str, int]]
    #: FileStorages, which one process at a time may open.
    filestorages: List[str]
    #: `host:port` of each ZEO server, by storage.
    zeo: List[List[str]]
    #: DSNs of PostgreSQL.
    postgresql: List[str]
    #: Storages that a package has to bring: `zeoclient`, `relstorage`.
    storages: List[str]


def needs(root, data, environment):
    """What has to be there before Zope opens its databases."""
    folders = {os.path.join(data, name): 0o770 for name in _FOLDERS}
    folders[os.path.join(data, "blobstorage")] = 0o700
    filestorages, zeo, postgresql, storages = [], [], [], []

    def value_of(directive):
        return zconfig_text.expand(root, directive.value, environment)

    def want(folder, mode=0o770):
        inside = os.path.relpath(folder, data)
        if inside == "." or inside.startswith(".."):
            return  # another mount: its owner knows what has to be there
        want(os.path.dirname(folder))
        folders.setdefault(folder, mode)

    for section in root.every_section():
        for directive in section.directives():
            path = os.path.normpath(value_of(directive))
            if directive.key in _BLOB_KEYS:
                want(path, 0o700)
            elif directive.key in _FOLDER_KEYS:
                want(path)
            elif directive.key in _FILE_KEYS and section.type and os.path.isabs(path):
                want(os.path.dirname(path))
        if section.type == "filestorage":
            filestorages.extend(value_of(directive) for directive in section.directives("path"))
        if section.type == "zeoclient":
            zeo.append([value_of(directive) for directive in section.directives("server")])
        if section.type == "relstorage":
            adapters = section.sections("postgresql")
            postgresql.extend(value_of(directive) for adapter in adapters for directive in adapter.directives("dsn"))
        if section.type in ("zeoclient", "relstorage"):
            storages.append(section.type)
    ordered = sorted(folders.items(), key=lambda item: item[0].count(os.sep))
    return Needs(ordered, filestorages, zeo, postgresql, storages)


def absolute_includes(root, folder):
    """`%include` is relative to the file it stands in, and the effective one lies elsewhere."""

    def absolute(match):
        target = match[2].strip()
        elsewhere = target.startswith(("/", "$")) or re.match(r"[a-z]+:", target)
        return match[0] if elsewhere else match[1] + os.path.join(folder, target)

    for section in root.every_section():
        for child in section.children:
            if isinstance(child, zconfig_text.Directive):
                child.text = re.sub(r"^(\s*%include\s+)(.*)$", absolute, child.text)
    return root
