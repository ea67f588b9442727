"""`run` and `debug`: Python with `app`, Zope's root, at hand. Nothing is committed but by transaction.commit()."""

import os
import sys
import threading

from . import application, process
from .failure import Failure


def run(arguments):
    """`run SCRIPT [arguments]`, as zopectl has it; - reads the script from stdin."""
    if not arguments:
        raise Failure("USAGE", "run needs a script.", "run SCRIPT [arguments]")
    process.stop_on_signals()
    path = arguments[0]
    try:
        with open(0 if path == "-" else path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise Failure("USAGE", f"{path}: {error.strerror}.") from error
    code = compile(source, "<stdin>" if path == "-" else path, "exec")

    plone = application.Application()
    try:
        app = plone.open()
        try:
            application.become(app, "")
            sys.argv[:] = arguments
            sys.path[0] = os.getcwd() if path == "-" else os.path.dirname(os.path.abspath(path))
            exec(code, {"__name__": "__main__", "__file__": path, "app": app})
            _join_threads()
        finally:
            application.release(app)
    finally:
        application.close_databases()
    return 0


def _join_threads():
    """As Python does at its end; these programs leave without."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()


def debug(arguments):
    """An interactive console."""
    if arguments:
        raise Failure("USAGE", f"debug takes no arguments, got {arguments[0]!r}.")
    import code

    plone = application.Application()
    try:
        app = plone.open()
        try:
            application.become(app, "")
            try:
                import readline  # noqa: F401  (it makes input() editable)
            except ImportError:
                pass
            banner = 'The name "app" is bound to the top-level Zope object.'
            code.interact(banner=banner, local={"__name__": "__console__", "app": app}, exitmsg="")
        finally:
            application.release(app)
    finally:
        application.close_databases()
    return 0
