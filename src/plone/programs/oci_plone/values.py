"""The kinds of values that settings have: text of the environment in, text of zope.conf out."""

import re

from .failure import Failure

_TRUE = frozenset(("1", "on", "true", "yes", "t", "y"))
_FALSE = frozenset(("0", "off", "false", "no", "f", "n"))


def refuse(name, expected, hint=""):
    # The value itself is not shown: it may be a password that went into the wrong name.
    return Failure("SETTING_REFUSED", f"{name}: expected {expected}.", hint)


def boolean(name, text):
    """`on` or `off`, which every version of ZConfig reads."""
    lower = text.lower()
    if lower in _TRUE:
        return "on"
    if lower in _FALSE:
        return "off"
    raise refuse(name, "on or off")


def number(name, text):
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise refuse(name, "a whole number")
    return text


def size(name, text):
    """Bytes, with KB, MB or GB if wanted."""
    if not re.fullmatch(r"[0-9]{1,18}\s*([kmg]b)?", text, re.IGNORECASE):
        raise refuse(name, "a number of bytes such as 1048576, 100MB or 1GB")
    return re.sub(r"\s", "", text)


def port(name, text):
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise refuse(name, "a port between 1 and 65535", "Kubernetes sets such a name itself for a service called so.")
    return int(text)


def word(name, text):
    if not re.fullmatch(r"[^\s<>#%$]+", text):
        raise refuse(name, "one word")
    return text


def path(name, text):
    if not re.fullmatch(r"/[^\n\r\0]*", text):
        raise refuse(name, "an absolute path")
    return text


def line(name, text):
    """Anything on one line: a second one would be a directive of its own in zope.conf."""
    if re.search(r"[\n\r\0]", text):
        raise refuse(name, "a single line")
    return text


def address(name, text):
    """One or more servers, as ZEO names them: host:port, [v6]:port, or the path of a socket."""
    servers = text.split()
    for server in servers:
        host, _, number_text = server.rpartition(":")
        if server.startswith("/"):
            continue
        if not host or not number_text.isdigit() or not 0 < int(number_text) < 65536:
            raise refuse(name, "host:port", "For example ZEO_ADDRESS=zeo:8100.")
    return servers


def choice(*allowed):
    def check(name, text):
        for value in allowed:
            if text.lower() == value.lower():
                return value
        raise refuse(name, " or ".join(allowed))

    return check
