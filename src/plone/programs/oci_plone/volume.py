"""The volume: filled when it is empty, and refused in one sentence when it cannot be used."""

import errno
import fcntl
import os
import stat

from .failure import Failure

_HINT = (
    "Docker and Podman: use a named volume, or chown the folder to this user. "
    "Kubernetes: set securityContext.fsGroup to this group."
)


def fill(data, folders):
    """Makes what is missing of these folders, which parents come first of. Existing ones keep their modes."""
    if not os.path.isdir(data):
        try:
            os.makedirs(data, mode=0o770)
        except OSError as error:
            raise Failure("DATA_NOT_WRITABLE", f"There is no {data}, {_who()} cannot make it.", _HINT) from error
    for folder, mode in [(data, 0o770), *folders]:
        try:
            os.mkdir(folder, mode)
        except FileExistsError:
            pass
        except OSError as error:
            raise _refusal(os.path.dirname(folder), error) from error
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise _refusal(folder, None)


def check_files(filestorages):
    """
    Databases that are there: writable, and not in use. Whoever opens one a moment later still meets ZODB's own lock; this
    look is for a sentence at once instead of a traceback after the start.
    """
    for path in filestorages:
        for name in (path, path + ".lock"):
            if os.path.exists(name) and not os.access(name, os.R_OK | os.W_OK):
                raise _refusal(name, None)
        if is_locked(path):
            raise locked(path)


def is_locked(path):
    try:
        with open(path + ".lock", "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def locked(path):
    return Failure(
        "DATABASE_LOCKED",
        f"{path} is in use by another process, perhaps another container with the same volume.",
        "Stop that one first; several at once need ZEO_ADDRESS or RELSTORAGE_DSN.",
    )


def _who():
    return f"uid {os.geteuid()}, gid {os.getegid()}"


def _refusal(path, error):
    if error is not None and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("DATA_NOT_WRITABLE", f"{path} is full.", "Make the volume larger.")
    try:
        seen = os.stat(path)
        owner = f"it belongs to {seen.st_uid}:{seen.st_gid}, mode {stat.S_IMODE(seen.st_mode):04o}"
    except OSError:
        owner = "nor looked at"
    if error is not None and error.errno == errno.EROFS or _is_read_only(path):
        owner = "it is on a read-only file system"
    return Failure("DATA_NOT_WRITABLE", f"{path} cannot be written by {_who()}: {owner}.", _HINT)


def _is_read_only(path):
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False
