"""
The environment as users of plone/plone-backend know it, read and checked. Pure: a mapping in, Settings out, so that every
name can be tested without Plone. An empty value counts as none, as compose files write it: `ZEO_ADDRESS: ${ZEO:-}`.
"""

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple

from . import values
from .failure import Failure, keep_secret

#: Top-level directives of zope.conf.
_ZOPE = {
    "DEBUG_MODE": ("debug-mode", values.boolean),
    "SECURITY_POLICY_IMPLEMENTATION": ("security-policy-implementation", values.choice("C", "PYTHON")),
    "VERBOSE_SECURITY": ("verbose-security", values.boolean),
    "DEFAULT_ZPUBLISHER_ENCODING": ("default-zpublisher-encoding", values.word),
    "CLIENT_HOME": ("clienthome", values.path),
}

#: Of its <dos_protection>.
_FORM = {
    "ZOPE_FORM_MEMORY_LIMIT": ("form-memory-limit", values.size),
    "ZOPE_FORM_DISK_LIMIT": ("form-disk-limit", values.size),
    "ZOPE_FORM_MEMFILE_LIMIT": ("form-memfile-limit", values.size),
}

_ZEO = {
    "ZEO_SHARED_BLOB_DIR": ("shared-blob-dir", values.boolean),
    "ZEO_READ_ONLY": ("read-only", values.boolean),
    "ZEO_CLIENT_READ_ONLY_FALLBACK": ("read-only-fallback", values.boolean),
    "ZEO_STORAGE": ("storage", values.word),
    "ZEO_CLIENT_CACHE_SIZE": ("cache-size", values.size),
    "ZEO_DROP_CACHE_RATHER_VERIFY": ("drop-cache-rather-verify", values.boolean),
}

_RELSTORAGE = {
    "RELSTORAGE_NAME": ("name", values.word),
    "RELSTORAGE_READ_ONLY": ("read-only", values.boolean),
    "RELSTORAGE_KEEP_HISTORY": ("keep-history", values.boolean),
    "RELSTORAGE_COMMIT_LOCK_TIMEOUT": ("commit-lock-timeout", values.number),
    "RELSTORAGE_CREATE_SCHEMA": ("create-schema", values.boolean),
    "RELSTORAGE_SHARED_BLOB_DIR": ("shared-blob-dir", values.boolean),
    "RELSTORAGE_BLOB_CACHE_SIZE": ("blob-cache-size", values.size),
    "RELSTORAGE_BLOB_CACHE_SIZE_CHECK": ("blob-cache-size-check", values.number),
    "RELSTORAGE_BLOB_CACHE_SIZE_CHECK_EXTERNAL": ("blob-cache-size-check-external", values.boolean),
    "RELSTORAGE_BLOB_CHUNK_SIZE": ("blob-chunk-size", values.size),
    "RELSTORAGE_CACHE_LOCAL_MB": ("cache-local-mb", values.number),
    "RELSTORAGE_CACHE_LOCAL_OBJECT_MAX": ("cache-local-object-max", values.size),
    "RELSTORAGE_CACHE_LOCAL_COMPRESSION": ("cache-local-compression", values.choice("none", "zlib", "bz2")),
    "RELSTORAGE_CACHE_DELTA_SIZE_LIMIT": ("cache-delta-size-limit", values.number),
}

_PACKED = "What Plone is made of is decided when the image is packed: "
_CORS = "Put a plone:CORSPolicy into zcml-additional of the buildout's instance and pack again."
_PGJSONB = "This image knows RELSTORAGE_DSN for PostgreSQL; another storage is configured in the buildout's instance."

#: What plone/plone-backend has and this image has not, with what to do instead.
_REFUSED = {
    "ADDONS": _PACKED + "add it to eggs of the buildout's instance.",
    "DEVELOP": _PACKED + "add it to eggs and develop of the buildout.",
    "PIP_PARAMS": _PACKED + "remove this, nothing is installed at the start.",
    "ANSWERS": "Use the arguments of create-site, and DISTRIBUTION, SITE_TITLE, SITE_DEFAULT_LANGUAGE, TIMEZONE.",
    "CORS_ALLOW_ORIGIN": _CORS,
    "CORS_ALLOW_METHODS": _CORS,
    "CORS_ALLOW_CREDENTIALS": _CORS,
    "CORS_EXPOSE_HEADERS": _CORS,
    "CORS_ALLOW_HEADERS": _CORS,
    "CORS_MAX_AGE": _CORS,
    "ZODB_PGJSONB_DSN": _PGJSONB,
    "ZODB_PGJSONB_HISTORY_PRESERVING": _PGJSONB,
    "ZODB_PGJSONB_Z3BLOBS_ENABLED": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_ENDPOINT_URL": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_BUCKET_NAME": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_ACCESS_KEY": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_SECRET_KEY": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_USE_SSL": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_REGION": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_PREFIX": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_THRESHOLD": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_CACHE_DIR": _PGJSONB,
    "ZODB_PGJSONB_S3BLOBS_CACHE_SIZE": _PGJSONB,
}

_PREFIXES = ("ZEO_", "RELSTORAGE_", "ZODB_")
_KNOWN = {*_ZEO, *_RELSTORAGE, "ZEO_ADDRESS", "RELSTORAGE_DSN", "ZODB_CACHE_SIZE"}


@dataclass(frozen=True)
class Storage:
    #: `zeoclient` or `relstorage`, as zope.conf calls them.
    kind: str
    #: Its directives; only those that the environment names.
    options: Dict[str, str]
    #: Of a zeoclient.
    servers: List[str] = field(default_factory=list)
    #: Of a relstorage.
    dsn: str = field(default="", repr=False)


@dataclass(frozen=True)
class Site:
    """The site to be created at the start, or by create-site."""

    id: str
    #: None: "Plone site", or what the content of a distribution says.
    title: Optional[str]
    #: `volto`, `classic` or another distribution; empty: the first of these that the image has.
    type: str
    language: str
    timezone: str
    content: bool
    profiles: Tuple[str, ...]
    delete_existing: bool


@dataclass(frozen=True)
class Settings:
    zope: Dict[str, str]
    form: Dict[str, str]
    cache_size: Optional[str]
    storage: Optional[Storage]
    listen_port: Optional[int]
    #: SITE: create this one at the start.
    site_at_start: Optional[str]
    site: Site
    #: Seconds to wait for a ZEO or PostgreSQL server.
    wait: int
    #: Lines about what has no effect.
    notes: List[str]


def read_settings(environment):
    """Reads all settings. Raises SETTING_REFUSED for the first that is malformed, or not this image's."""
    env = {name: value.strip() for name, value in environment.items() if value.strip()}
    for name, hint in _REFUSED.items():
        if name in env:
            raise Failure("SETTING_REFUSED", f"{name} is not supported by this image.", hint)
    if "COMPILE_MO_FILES" in env and values.boolean("COMPILE_MO_FILES", env["COMPILE_MO_FILES"]) == "on":
        hint = _PACKED + "set COMPILE_MO_FILES=off."
        raise Failure("SETTING_REFUSED", "COMPILE_MO_FILES is not supported by this image.", hint)

    notes = []
    ignored = sorted(name for name in env if name.startswith(_PREFIXES) and name not in _KNOWN)
    if ignored:
        notes.append(f"Ignored, since they are not settings of this image: {', '.join(ignored)}")
    if "RELSTORAGE_DSN" in env and "ZEO_ADDRESS" in env:
        notes.append("ZEO_ADDRESS is ignored, since RELSTORAGE_DSN is set")

    return Settings(
        zope=_read(_ZOPE, env),
        form=_read(_FORM, env),
        cache_size=_one(env, "ZODB_CACHE_SIZE", values.number),
        storage=_storage(env),
        listen_port=_one(env, "LISTEN_PORT", values.port),
        site_at_start=_one(env, "SITE", values.word),
        site=_site(env),
        wait=int(values.number("DATABASE_WAIT", env.get("DATABASE_WAIT", "60"))),
        notes=notes,
    )


def _read(table, env):
    return {option: check(name, env[name]) for name, (option, check) in table.items() if name in env}


def _one(env, name, check):
    return check(name, env[name]) if name in env else None


def _storage(env):
    relstorage = _read(_RELSTORAGE, env)
    zeo = _read(_ZEO, env)
    if "RELSTORAGE_DSN" in env:
        dsn = values.line("RELSTORAGE_DSN", env["RELSTORAGE_DSN"])
        keep_secret(dsn)
        return Storage("relstorage", relstorage, dsn=dsn)
    if "ZEO_ADDRESS" in env:
        return Storage("zeoclient", zeo, servers=values.address("ZEO_ADDRESS", env["ZEO_ADDRESS"]))
    # Without a server they still adjust a storage that the buildout chose.
    if relstorage:
        return Storage("relstorage", relstorage)
    if zeo:
        return Storage("zeoclient", zeo)
    return None


def _site(env):
    def flag(name, default):
        return values.boolean(name, env.get(name, default)) == "on"

    profiles = env.get("PROFILES", env.get("ADDITIONAL_PROFILES", ""))
    return Site(
        id=values.word("SITE_ID", env.get("SITE_ID", env.get("SITE", "Plone"))),
        title=_one(env, "SITE_TITLE", values.line),
        type=values.word("TYPE", env.get("DISTRIBUTION", env.get("TYPE", "default"))),
        language=values.word("SITE_DEFAULT_LANGUAGE", env.get("SITE_DEFAULT_LANGUAGE", "en")),
        timezone=values.word("TIMEZONE", env.get("TIMEZONE", "UTC")),
        content=flag("SETUP_CONTENT", "on"),
        # Its documentation separates them by spaces, its latest script by commas.
        profiles=tuple(profiles.replace(",", " ").split()),
        delete_existing=flag("DELETE_EXISTING", "off"),
    )
