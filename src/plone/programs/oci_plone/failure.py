"""How a program of the image ends when it cannot do what it was asked for: a code, one sentence, what to do about it."""

import atexit
import os
import sys

#: Every way to fail, with the exit code. The set is closed; sentences may change, codes do not.
CODES = {
    # Arguments that make no sense.
    "USAGE": 2,
    # A setting that is malformed, or one of plone/plone-backend's that this image does not have.
    "SETTING_REFUSED": 2,
    # The image lacks a Python package that a setting needs.
    "PACKAGE_MISSING": 3,
    # The volume, or what is in it, cannot be written by this user.
    "DATA_NOT_WRITABLE": 4,
    # Another process has the database's files open.
    "DATABASE_LOCKED": 5,
    # Something else listens on the port, or this user may not.
    "PORT_TAKEN": 6,
    # The ZEO or PostgreSQL server did not answer within the time it was given.
    "DATABASE_UNREACHABLE": 7,
    # The database server is there and does not let us in.
    "DATABASE_REFUSED": 8,
    # A user, a site type, a profile or a script that is not there, or one that is there already.
    "REQUEST_REFUSED": 9,
    # Nothing answers /ok.
    "UNHEALTHY": 1,
    # The image was put together wrongly.
    "IMAGE_BROKEN": 10,
}

#: What is never to be seen in a message; settings and passwords add to it.
_secrets = set()


class Failure(Exception):
    """The one exception of these programs. Its texts are scrubbed of secrets when they are shown."""

    def __init__(self, code, message, hint=""):
        super().__init__(message)
        self.code = code
        self.exit_code = CODES[code]
        self.message = message
        self.hint = hint


def keep_secret(text):
    """Makes sure that this text is shown by no message of these programs."""
    if text:
        _secrets.add(text)


def scrub(text):
    """The text without any secret. Longest first, since a password is part of the DSN it stands in."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def say(line):
    """One line to stderr, at once: a container's log is read while the program waits."""
    print(scrub(line), file=sys.stderr, flush=True)


def run(program, main):
    """Runs `main(arguments)` to its exit code. A traceback is for what nobody foresaw, and holds no secret, either."""
    try:
        code = main(sys.argv[1:])
    except Failure as failure:
        say(" ".join(filter(None, [f"{program}: {failure.code}: {failure.message}", failure.hint])))
        code = failure.exit_code
    except KeyboardInterrupt as interrupt:
        code = 128 + getattr(interrupt, "signal", 2)
    except SystemExit as leave:
        code = leave.code
        if not isinstance(code, int) and code is not None:
            say(str(code))
            code = 1
    except BaseException:
        import traceback

        say(traceback.format_exc().rstrip("\n"))
        code = 1
    _end(code or 0)


def _end(code):
    """Leaves at once. Python would first take Zope apart, object by object, which lasts longer than Zope's own end."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass  # whoever read it is gone
    os._exit(code & 0xFF)
