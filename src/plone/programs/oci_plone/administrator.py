"""
The first administrator. Zope makes one from a file `inituser` of the instance's folder, at every start that finds at most
one user. Here that folder is read-only, so the file could never go away and would undo every change of its password. This
takes that hook's place: a user is made in an empty database alone, and no password is ever on disk but as Zope keeps it.
"""

from .failure import Failure, keep_secret, say

DEFAULT_FILE = "/run/secrets/admin_password"


def password_from(environment):
    """ADMIN_PASSWORD_FILE, its default, ADMIN_PASSWORD, or None. Raises SETTING_REFUSED for a file that is not there."""
    named = environment.get("ADMIN_PASSWORD_FILE", "")
    path = named or DEFAULT_FILE
    try:
        with open(path, encoding="utf-8") as file:
            password = file.read().rstrip("\r\n")
    except OSError as error:
        if named or not isinstance(error, (FileNotFoundError, NotADirectoryError)):
            raise Failure("SETTING_REFUSED", f"ADMIN_PASSWORD_FILE: {path}: {error.strerror}.") from error
        password = environment.get("ADMIN_PASSWORD") or None
    except UnicodeDecodeError as error:
        raise Failure("SETTING_REFUSED", f"ADMIN_PASSWORD_FILE: {path} is not UTF-8 text.") from error
    if password == "":
        raise Failure("SETTING_REFUSED", f"ADMIN_PASSWORD_FILE: {path} is empty.")
    keep_secret(password)
    return password


def generate_password():
    import secrets

    return secrets.token_urlsafe(15)


def make_first_user(name, password):
    """Has Zope call us where it would read `inituser`. To be called before it starts; importing Zope is left to it."""
    import zope.event

    def opened(event):
        if type(event).__name__ != "DatabaseOpened":
            return
        zope.event.subscribers.remove(opened)
        from OFS.userfolder import UserFolder

        UserFolder._createInitialUser = lambda folder: _create(folder, name, password)

    zope.event.subscribers.append(opened)


def _create(folder, name, password):
    if folder.getUserNames():
        return
    import transaction
    from AccessControl.users import readUserAccessFile

    baked = readUserAccessFile("inituser")
    if baked:
        name = baked[0]
    if password:
        said = "with the given password"
    elif baked:
        password = baked[1]  # its hash, which Zope takes as one
        said = "whose password everyone can read in the image"
    else:
        password = generate_password()
        said = f"password: {password} (shown this once)"
    folder._doAddUser(name, password, ("Manager",), [])
    line = f'The database is empty: made the administrator "{name}", {said}'

    # Of several containers only the one that commits says so: the others' passwords were never anyone's.
    transaction.get().addAfterCommitHook(lambda committed: say(line) if committed else None)


def forget(environment):
    """Takes secrets out of the process's own environment, which add-ons' debug pages show."""
    for name in ("ADMIN_PASSWORD", "RELSTORAGE_DSN"):
        environment.pop(name, None)
