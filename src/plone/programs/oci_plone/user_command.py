"""`adduser`: a user of Zope's root, who may do everything in every site."""

import argparse
import os
import sys

from . import administrator, application, process
from .failure import Failure, keep_secret


def main(arguments):
    process.stop_on_signals()
    options = _parse(arguments)
    password, generated = _password(options)
    plone = application.Application()
    try:
        app = plone.open()
        try:
            _add(app, options, password)
        finally:
            application.release(app)
    finally:
        application.close_databases()
    if generated:
        print(password, flush=True)
    return 0


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog="adduser",
        description="Adds a user to Zope's root. The password: --password-file, USER_PASSWORD, a prompt on a terminal, "
        "else one is made and printed.",
    )
    parser.add_argument("name")
    parser.add_argument("--roles", default="Manager", help="separated by commas (default: Manager)")
    parser.add_argument("--password-file", metavar="FILE", help="a file that holds the password; - is stdin")
    parser.add_argument("--replace", action="store_true", help="give a user who is there this password and these roles")
    return parser.parse_args(arguments)


def _password(options):
    """The password, and whether it was made here."""
    if options.password_file:
        try:
            with open(0 if options.password_file == "-" else options.password_file, encoding="utf-8") as file:
                password = file.read().rstrip("\r\n")
        except OSError as error:
            raise Failure("USAGE", f"--password-file: {options.password_file}: {error.strerror}.") from error
    elif os.environ.get("USER_PASSWORD"):
        password = os.environ.pop("USER_PASSWORD")
    elif sys.stdin is not None and sys.stdin.isatty():
        from getpass import getpass

        password = getpass("Password: ")
        if password != getpass("Again: "):
            raise Failure("USAGE", "The two passwords differ.")
    else:
        return administrator.generate_password(), True
    if not password:
        raise Failure("USAGE", "The password is empty.")
    keep_secret(password)
    return password, False


def _add(app, options, password):
    import transaction

    roles = tuple(role.strip() for role in options.roles.split(",") if role.strip())
    known = app.valid_roles()
    unknown = [role for role in roles if role not in known]
    if unknown:
        raise Failure("REQUEST_REFUSED", f"There is no role {unknown[0]}.", f"There are: {', '.join(known)}.")
    users = app.acl_users
    if users.getUser(options.name) is None:
        users._doAddUser(options.name, password, roles, [])
    elif options.replace:
        _replace(users, options.name, password, roles)
    else:
        raise Failure("REQUEST_REFUSED", f"There is a user {options.name} already.", "--replace changes the password.")
    transaction.commit()


def _replace(users, name, password, roles):
    if not hasattr(users, "plugins"):
        users._doChangeUser(name, password, roles, [])  # Zope's own folder, before the first site is made
        return
    for plugin in users.objectValues("ZODB User Manager"):
        try:
            user_id = plugin.getUserIdForLogin(name)
        except KeyError:
            continue
        plugin.updateUserPassword(user_id, password)
        for manager in users.objectValues("ZODB Role Manager"):
            for role in manager.listRoleIds():
                change = manager.assignRoleToPrincipal if role in roles else manager.removeRoleFromPrincipal
                change(role, user_id)
        return
    raise Failure("REQUEST_REFUSED", f"The user {name} is kept elsewhere, and changed there.")
