"""The servers that hold the database: waited for with a line saying so, and refused without showing a password."""

import socket
import time
from importlib.util import find_spec

from .failure import Failure, keep_secret, say

_HINT = "DATABASE_WAIT sets the seconds to wait."

#: Storage: the module it takes, and the eggs that bring it.
_PACKAGES = {
    "zeoclient": (("ZEO",), "ZEO"),
    "relstorage": (("relstorage",), "RelStorage and psycopg2-binary"),
}
_DRIVERS = ("psycopg2", "pg8000")

#: What a PostgreSQL server says while it cannot yet, or not now, answer.
_PASSING = ("starting up", "shutting down", "recovery mode", "too many clients", "remaining connection slots")

#: SQLSTATEs of who creates what another creates at the same moment: it is there, or its row is in the way.
_MET_ANOTHER = ("23505", "42P07", "42710", "42723", "40001", "40P01")


def check_packages(needs):
    """Raises PACKAGE_MISSING with the eggs to add."""
    for storage in needs.storages:
        modules, eggs = _PACKAGES[storage]
        present = all(_is_there(module) for module in modules)
        if storage == "relstorage" and needs.postgresql:
            present = present and any(_is_there(driver) for driver in _DRIVERS)
        if not present:
            setting = {"zeoclient": "ZEO_ADDRESS", "relstorage": "RELSTORAGE_DSN"}[storage]
            raise Failure(
                "PACKAGE_MISSING",
                f"{setting} needs what this image does not have.",
                f"Add {eggs} to eggs of the buildout's instance and pack again.",
            )


def _is_there(module):
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def wait_for(needs, seconds):
    """Returns once every server answers. Raises DATABASE_UNREACHABLE after so many seconds in all."""
    deadline = time.monotonic() + seconds
    for servers in needs.zeo:
        if servers:
            _wait("ZEO", " or ".join(servers), lambda servers=servers: _zeo_answers(servers), deadline, seconds)
    for dsn in needs.postgresql:
        if _is_there("psycopg2"):
            _wait("PostgreSQL", _place(dsn), lambda dsn=dsn: _postgresql_answers(dsn), deadline, seconds)


def _wait(kind, place, attempt, deadline, seconds):
    """`attempt` gives an empty text for success, else what is in the way."""
    told = False
    while True:
        reason = attempt()
        if not reason:
            return
        if time.monotonic() >= deadline:
            message = f"The {kind} server at {place} did not answer within {seconds} s: {reason}."
            raise Failure("DATABASE_UNREACHABLE", message, _HINT)
        if not told:
            say(f"Waiting up to {seconds} s for the {kind} server at {place}: {reason}")
            told = True
        time.sleep(max(0.0, min(0.5, deadline - time.monotonic())))


def _zeo_answers(servers):
    reason = ""
    for server in servers:
        try:
            if server.startswith("/"):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                    connection.settimeout(3)
                    connection.connect(server)
            else:
                host, _, port = server.rpartition(":")
                with socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), timeout=3) as connection:
                    connection.settimeout(3)
                    # A server greets first, with its protocol: four bytes of length, `M` or `Z`, a version.
                    greeting = connection.recv(5)
                    if greeting[4:5] not in (b"Z", b"M"):
                        reason = "what listens there is no ZEO server"
                        continue
            return ""
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
    return reason


def _place(dsn):
    """The server of a DSN, and nothing else of it."""
    from psycopg2.extensions import parse_dsn

    try:
        parts = parse_dsn(dsn)
    except Exception:
        # libpq's message would quote the DSN.
        raise Failure(
            "SETTING_REFUSED",
            "RELSTORAGE_DSN: expected PostgreSQL's key=value pairs or a postgresql:// URL.",
            "Its text is not shown here.",
        ) from None
    keep_secret(parts.get("password"))
    host = parts.get("host") or parts.get("hostaddr") or "this container"
    return f"{host}:{parts.get('port', '5432')}"


def _postgresql_answers(dsn):
    import psycopg2

    try:
        psycopg2.connect(dsn, connect_timeout=3).close()
        return ""
    except psycopg2.Error as error:
        reason = " ".join(str(error).split()).split(" Is the server running")[0].rstrip(".") or type(error).__name__
        refused = "FATAL" in reason or "no password supplied" in reason
        if refused and not any(words in reason for words in _PASSING):
            raise Failure(
                "DATABASE_REFUSED",
                f"PostgreSQL does not accept RELSTORAGE_DSN: {reason}.",
                "Check its user, password and dbname.",
            ) from None
        return reason


def met_another(error):
    """Whether PostgreSQL, by either driver, says that another process creates the same tables just now."""
    details = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    state = getattr(error, "pgcode", None) or details.get("C")
    return state in _MET_ANOTHER or "tuple concurrently updated" in str(error)
