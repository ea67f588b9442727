"""Zope in this process: configured from the environment, its database opened, and closed again."""

import os
import sys

from . import administrator, database, effective, ports, process, settings, volume
from .failure import Failure, say
from .image import this_image


class Application:
    """Everything before Zope is imported: what is wrong with settings, volume, port or server is said within a moment."""

    def __init__(self, listens=False):
        self._environment = dict(os.environ)
        self.image = this_image()
        self.settings = settings.read_settings(self._environment)
        password = administrator.password_from(self._environment)
        self._made = effective.configuration(self.image, self.settings, self._environment)
        for note in self.settings.notes:
            say(note)
        needs = self._made.needs
        database.check_packages(needs)
        # Others of the group may read and write, the rest of the world nothing.
        os.umask(0o007)
        volume.fill(self.image.data, needs.folders)
        effective.temporary_folder(self.image)
        process.home()
        volume.check_files(needs.filestorages)
        if listens:
            ports.check(self._made.addresses)
        database.wait_for(needs, self.settings.wait)
        administrator.forget(os.environ)
        administrator.make_first_user(self.image.user, password)

    def start(self, load):
        """Calls `load(files)`, which starts Zope from these files, and turns what ZODB says into a failure."""
        with effective.Files(self.image, self._made) as files:
            try:
                return load(files)
            except Exception as error:
                self._explain(error)
                raise

    def open(self):
        """Zope's root, with a request, for programs that serve nothing."""

        def load(files):
            from Zope2.Startup.run import make_wsgi_app

            make_wsgi_app({}, files.zope_conf)

        self.start(load)
        return root()

    def _explain(self, error):
        # By name: whether these can be imported depends on what the image holds.
        names = {kind.__name__ for kind in type(error).__mro__}
        filestorages = self._made.needs.filestorages
        if "LockError" in names and filestorages:
            raise volume.locked(filestorages[0]) from error
        if "ConfigurationError" in names:
            raise Failure("SETTING_REFUSED", f"zope.conf: {error}.") from error
        if names & {"ClientDisconnected"}:
            raise Failure("DATABASE_UNREACHABLE", "The ZEO server does not serve what ZEO_STORAGE names.") from error
        if "ConflictError" in names or database.met_another(error):
            self._again(error)

    def _again(self, error):
        """Two containers met an empty database. The second starts again, and finds what the first has made."""
        attempt = int(self._environment.get("OCI_PLONE_ATTEMPT", "1"))
        if attempt > 5:
            raise error
        say("Another process initialises the same database: starting again")
        command = [sys.executable, *getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]]
        os.execve(sys.executable, command, {**self._environment, "OCI_PLONE_ATTEMPT": str(attempt + 1)})


def root():
    """A connection's root object that has a request, as code expects that makes URLs."""
    import Zope2
    from Testing.makerequest import makerequest
    from zope.globalrequest import setRequest

    app = makerequest(Zope2.app())
    app.REQUEST["PARENTS"] = [app]
    setRequest(app.REQUEST)
    return app


def become(app, name):
    """Acts as this user of the root, or as the system where there is none."""
    from AccessControl.SecurityManagement import newSecurityManager
    from AccessControl.users import system

    user = app.acl_users.getUser(name)
    newSecurityManager(None, system if user is None else user.__of__(app.acl_users))


def release(app):
    """Ends what `root` began, without keeping what was not committed."""
    import transaction
    from AccessControl.SecurityManagement import noSecurityManager
    from zope.component.hooks import setSite
    from zope.globalrequest import clearRequest

    transaction.abort()
    setSite(None)
    noSecurityManager()
    clearRequest()
    app._p_jar.close()


def close_databases():
    """Writes indexes, releases locks, says good-bye to servers. Only what was ever opened."""
    process.closing()
    zope = sys.modules.get("Zope2")
    for opened in getattr(zope, "opened", ()):
        for one in {id(db): db for db in (opened, *getattr(opened, "databases", {}).values())}.values():
            one.close()
