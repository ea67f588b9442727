"""`start`: Plone as the container's first process, from an empty volume to a clean end."""

import gc
import logging.config
import os

from . import application, ports, process, site
from .failure import Failure, say


def main(arguments):
    if arguments:
        raise Failure("USAGE", f"start takes no arguments, got {arguments[0]!r}.", "Settings are in the environment.")
    process.stop_on_signals()
    process.bury_orphans()
    try:
        plone = application.Application(listens=True)
        app, server = plone.start(_load)
        if plone.settings.site_at_start is not None:
            _create_site(plone)
        _serve(app, server)
    finally:
        application.close_databases()
    return 0


def _load(files):
    """As Zope2.Startup.serve does, whose command serves at once."""
    path = files.wsgi_ini
    defaults = {"__file__": path, "here": os.path.dirname(path)}
    logging.config.fileConfig(path, defaults, disable_existing_loggers=False)
    # What is made until Zope is there stays: looking for garbage in it, now or later, costs time for nothing.
    gc.disable()
    from paste.deploy import loadapp, loadserver

    server = loadserver(f"config:{path}")
    app = loadapp(f"config:{path}")
    gc.freeze()
    gc.enable()
    return app, server


def _create_site(plone):
    root = application.root()
    try:
        site.create(root, plone.settings.site, plone.image.user)
    finally:
        application.release(root)


def _serve(app, server):
    try:
        server(app)
    except KeyboardInterrupt:
        pass
    except OSError as error:
        failure = ports.refusal(error, "the port")
        if failure is not None:
            raise failure from error
        raise
    say("Stopped")
