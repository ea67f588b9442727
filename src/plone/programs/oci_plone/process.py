"""This process as a container's first one: it ends on signals, and buries what is left to it."""

import os
import signal
import threading
import time


class Stopped(KeyboardInterrupt):
    """SIGINT or SIGTERM. Servers close on KeyboardInterrupt; nothing that says `except Exception` swallows it."""

    def __init__(self, number):
        super().__init__()
        self.signal = number


_closing = threading.Event()


def stop_on_signals():
    """The kernel drops signals that PID 1 has no handler for."""

    def stop(number, _frame):
        if not _closing.is_set():
            raise Stopped(number)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)


def closing():
    """From now on a signal changes nothing: databases are being closed."""
    _closing.set()


def bury_orphans(interval=30.0):
    """
    Whatever loses its parent is given to PID 1, and stays a zombie until that waits for it. A child of our own is waited for
    by whoever started it, so one is taken only when it was there, dead, at two looks in a row.
    """
    if os.getpid() != 1:
        return

    def look():
        seen = None
        while True:
            time.sleep(interval)
            try:
                dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                while dead is not None and dead.si_pid == seen:
                    os.waitpid(seen, os.WNOHANG)
                    dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                seen = dead.si_pid if dead is not None else None
            except ChildProcessError:
                seen = None

    threading.Thread(target=look, name="bury-orphans", daemon=True).start()


def home():
    """A uid that no passwd file knows has no home folder, and expanduser('~') fails for it."""
    if os.environ.get("HOME", "") in ("", "/"):
        import tempfile

        os.environ["HOME"] = tempfile.gettempdir()
